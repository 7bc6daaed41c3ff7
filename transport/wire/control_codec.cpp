#include <concepts>
#include <type_traits>
#include <utility>

#include "transport/wire/codec.h"
#include "transport/wire/frame.h"
#include "transport/wire/parts.h"

namespace sluice {
namespace {

// Every message begins with split and epoch; `fields_of` lists the others in the order of the grammar. One
// list serves both ways, so they cannot come apart: a message is const where it is written.

template <class T, class Message>
concept is = std::same_as<std::remove_const_t<T>, Message>;

void fields_of(auto& c, is<rewind_msg> auto& m) {
  c.scalars(m.description), c.after(m.after), c.number(m.position), c.number(m.window_bytes);
}
void fields_of(auto& c, is<credit_msg> auto& m) {
  c.number(m.bytes_total);
}
void fields_of(auto& c, is<sent_msg> auto& m) {
  c.number(m.sequence), c.boolean(m.ended);
}
void fields_of(auto& c, is<dirty_report> auto& m) {
  c.number(m.sequence), c.number(m.records_read), c.dirty(m.records);
}
void fields_of(auto& c, is<dirty_sync> auto& m) {
  c.number(m.sequence);
}
void fields_of(auto& c, is<dirty_commit> auto& m) {
  c.number(m.position), c.number(m.dirty_total);
}
void fields_of(auto& c, is<dirty_drop> auto& m) {
  c.number(m.position), c.counts(m.counts);
}
void fields_of(auto& c, is<dirty_synced> auto& m) {
  c.number(m.sequence);
}
void fields_of(auto&, is<dirty_dropped> auto&) {}

struct field_counter {
  std::size_t fields = 0;
  void number(std::uint64_t) { ++fields; }
  void boolean(bool) { ++fields; }
  void scalars(const scalar_list&) { ++fields; }
  void after(const std::optional<cursor>&) { ++fields; }
  void dirty(const std::vector<dirty_record>&) { ++fields; }
  void counts(const record_counts&) { ++fields; }
};

struct field_writer {
  frame_writer& to;
  void number(std::uint64_t n) { to.number(n); }
  void boolean(bool b) { to.boolean(b); }
  void scalars(const scalar_list& list) { write_scalars(to, list); }
  void after(const std::optional<cursor>& c) { write_cursor(to, c); }
  void dirty(const std::vector<dirty_record>& records) { write_dirty(to, records); }
  void counts(const record_counts& counts) { write_counts(to, counts); }
};

struct field_reader {
  frame_reader& from;
  void number(std::uint64_t& n) { n = from.number("a number"); }
  void boolean(bool& b) { b = from.boolean("a flag"); }
  void scalars(scalar_list& list) { list = read_scalars(from); }
  void after(std::optional<cursor>& c) { c = read_cursor(from); }
  void dirty(std::vector<dirty_record>& records) { records = read_dirty(from); }
  void counts(record_counts& counts) { counts = read_counts(from); }
};

template <class Message>
std::size_t header_size(const Message& m) {
  field_counter counter;
  fields_of(counter, m);
  return 2 + counter.fields;
}

/// The kinds stand in the order of the variant, behind the batch.
message_kind kind_of(const control_message& message) {
  return static_cast<message_kind>(message.index() + static_cast<std::size_t>(message_kind::rewind));
}

template <class Message>
control_message read_message(frame_reader& from) {
  Message m;
  from.array_of("the header", header_size(m));
  m.split = {static_cast<std::uint32_t>(from.number("the split", ~std::uint32_t{0}))};
  m.epoch = {from.number("the epoch")};
  field_reader fields{from};
  fields_of(fields, m);
  return m;
}

template <std::size_t... Index>
control_message read_kind(std::size_t index, frame_reader& from, std::index_sequence<Index...>) {
  control_message message;
  const auto read_if = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    if (index == I) {
      message = read_message<std::variant_alternative_t<I, control_message>>(from);
    }
  };
  (read_if(std::integral_constant<std::size_t, Index>()), ...);
  return message;
}

std::string_view text_of(const buffer& frame) {
  return {frame.as<char>(), frame.size()};
}

}  // namespace

result<buffer> encode(const control_message& message, const std::shared_ptr<buffer_pool>& pool) {
  frame_writer to(pool);
  to.array(4);
  to.number(wire_version);
  to.number(static_cast<std::uint64_t>(kind_of(message)));
  std::visit(
      [&](const auto& m) {
        to.array(header_size(m));
        to.number(m.split.value);
        to.number(m.epoch.value);
        field_writer fields{to};
        fields_of(fields, m);
      },
      message);
  to.bytes({});
  return to.finish();
}

result<message_kind> kind_of(const buffer& frame) {
  SLUICE_TRY(frame_reader from, frame_reader::make(text_of(frame), wire_version));
  const std::uint64_t kind = from.number("the kind", static_cast<std::uint64_t>(message_kind::dirty_dropped));
  if (kind == 0) {
    from.refuse("the kind", "is not 1 to 10");
  }
  if (!from.good()) {
    SLUICE_CHECK(from.done());
  }
  return static_cast<message_kind>(kind);
}

result<control_message> decode_control(const buffer& frame) {
  SLUICE_TRY(frame_reader from, frame_reader::make(text_of(frame), wire_version));
  const std::uint64_t kind = from.number("the kind", static_cast<std::uint64_t>(message_kind::dirty_dropped));
  constexpr auto first = static_cast<std::uint64_t>(message_kind::rewind);
  if (kind < first) {
    from.refuse("the kind", "is that of no control message");
  }
  control_message message = read_kind(static_cast<std::size_t>(kind - first), from,
                                      std::make_index_sequence<std::variant_size_v<control_message>>());
  if (!from.bytes("the body", 0).empty()) {
    from.refuse("the body", "is not empty");
  }
  SLUICE_CHECK(from.done());
  return message;
}

}  // namespace sluice
