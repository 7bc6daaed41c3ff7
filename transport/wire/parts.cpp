#include "transport/wire/parts.h"

#include <array>
#include <bit>
#include <cstring>

#include "transport/record/utf8.h"

namespace sluice {
namespace {

enum class scalar_kind : std::uint8_t {
  null = 0,
  boolean = 1,
  int64 = 2,
  uint64 = 3,
  float64 = 4,
  text = 5,
  bytes = 6
};

struct scalar_writer {
  frame_writer& to;
  void operator()(std::monostate) const {
    kind(scalar_kind::null);
    to.nil();
  }
  void operator()(bool value) const {
    kind(scalar_kind::boolean);
    to.boolean(value);
  }
  void operator()(std::int64_t value) const {
    kind(scalar_kind::int64);
    to.signed_number(value);
  }
  void operator()(std::uint64_t value) const {
    kind(scalar_kind::uint64);
    to.number(value);
  }
  void operator()(double value) const {
    // By its bits: msgpack's packer writes a float without a fraction as an integer, which loses -0.
    kind(scalar_kind::float64);
    to.number(std::bit_cast<std::uint64_t>(value));
  }
  void operator()(const std::string& value) const {
    kind(scalar_kind::text);
    to.bytes(value);
  }
  void operator()(const scalar::bytes& value) const {
    kind(scalar_kind::bytes);
    to.bytes(value.value);
  }
  void kind(scalar_kind k) const { to.number(static_cast<std::uint64_t>(k)); }
};

std::string read_utf8(frame_reader& from, std::string_view what, std::size_t size_max) {
  const std::string_view text = from.bytes(what, size_max);
  if (!is_utf8(text)) {
    from.refuse(what, "is no well-formed UTF-8");
  }
  return std::string(text);
}

scalar read_scalar(frame_reader& from) {
  switch (static_cast<scalar_kind>(from.number("a scalar's kind", 6))) {
    case scalar_kind::null:
      if (!from.nil()) {
        from.refuse("a scalar", "is not the nil it should be");
      }
      return {};
    case scalar_kind::boolean:
      return {from.boolean("a scalar")};
    case scalar_kind::int64:
      return {from.signed_number("a scalar")};
    case scalar_kind::uint64:
      return {from.number("a scalar")};
    case scalar_kind::float64:
      return {std::bit_cast<double>(from.number("a scalar"))};
    case scalar_kind::text:
      return {read_utf8(from, "a scalar", scalar_bytes_max)};
    case scalar_kind::bytes:
      return {scalar::bytes{std::string(from.bytes("a scalar", scalar_bytes_max))}};
  }
  return {};
}

void write_optional(frame_writer& to, const std::optional<std::string>& text) {
  text ? to.bytes(*text) : to.nil();
}

void write_optional(frame_writer& to, const std::optional<std::uint64_t>& number) {
  number ? to.number(*number) : to.nil();
}

std::optional<std::string> read_optional_text(frame_reader& from, std::string_view what) {
  return from.nil() ? std::nullopt : std::optional(std::string(from.bytes(what, frame_bytes_max)));
}

std::optional<std::uint64_t> read_optional_number(frame_reader& from, std::string_view what) {
  return from.nil() ? std::nullopt : std::optional(from.number(what));
}

void write_record(frame_writer& to, const dirty_record& d) {
  to.array(dirty_record_items);
  to.number(d.position);
  to.number(static_cast<std::uint64_t>(d.side));
  to.bytes(d.source);
  write_optional(to, d.line);
  write_optional(to, d.byte_offset);
  to.bytes(d.key);
  to.bytes(d.column);
  write_optional(to, d.value);
  to.bytes(d.target_type);
  to.bytes(d.code);
  to.bytes(d.message);
  to.array(d.record.size());
  for (const dirty_field& f : d.record) {
    to.array(3);
    to.bytes(f.name);
    to.bytes(f.type);
    write_optional(to, f.text);
  }
  to.number(d.record_bytes);
  to.boolean(d.cut);
  write_sum(to, d.sum);
}

dirty_record read_record(frame_reader& from) {
  dirty_record d;
  from.array_of("a dirty record", dirty_record_items);
  d.position = from.number("a dirty record's position");
  d.side = static_cast<dirty_side>(
      from.number("a dirty record's side", static_cast<std::uint64_t>(dirty_side::writer)));
  if (d.side < dirty_side::reader) {
    from.refuse("a dirty record's side", "is not 1 to 3");
  }
  d.source = from.bytes("a dirty record's source", source_bytes_max);
  d.line = read_optional_number(from, "a dirty record's line");
  d.byte_offset = read_optional_number(from, "a dirty record's byte offset");
  d.key = from.bytes("a dirty record's key", frame_bytes_max);
  d.column = from.bytes("a dirty record's column", frame_bytes_max);
  d.value = read_optional_text(from, "a dirty record's value");
  d.target_type = from.bytes("a dirty record's target type", frame_bytes_max);
  d.code = from.bytes("a dirty record's code", name_bytes_max);
  d.message = from.bytes("a dirty record's message", frame_bytes_max);
  for (std::size_t left = from.array("a dirty record's fields", fields_max); left > 0 && from.good();
       --left) {
    from.array_of("a field", 3);
    dirty_field f;
    f.name = from.bytes("a field's name", frame_bytes_max);
    f.type = from.bytes("a field's type", name_bytes_max);
    f.text = read_optional_text(from, "a field's text");
    d.record.push_back(std::move(f));
  }
  d.record_bytes = from.number("a dirty record's bytes");
  d.cut = from.boolean("a dirty record's cut");
  d.sum = read_sum(from);
  return d;
}

/// The members of the counts in the order of the grammar.
template <class Counts>
auto numbers_of(Counts& c) {
  return std::array{&c.read,     &c.written, &c.ignored,     &c.dirty,
                    &c.filtered, &c.bytes,   &c.dirty_bytes, &c.filtered_bytes};
}

}  // namespace

void write_scalars(frame_writer& to, const scalar_list& list) {
  to.array(list.size());
  for (const auto& [name, value] : list) {
    to.array(3);
    to.bytes(name);
    std::visit(scalar_writer{to}, value.value);
  }
}

scalar_list read_scalars(frame_reader& from) {
  scalar_list list;
  for (std::size_t left = from.array("a list of scalars", scalars_max); left > 0 && from.good(); --left) {
    from.array_of("a scalar", 3);
    std::string name = read_utf8(from, "a scalar's name", name_bytes_max);
    list.push_back({std::move(name), read_scalar(from)});
  }
  return list;
}

void write_cursor(frame_writer& to, const std::optional<cursor>& after) {
  after ? write_scalars(to, *after) : to.nil();
}

std::optional<cursor> read_cursor(frame_reader& from) {
  return from.nil() ? std::nullopt : std::optional(read_scalars(from));
}

void write_sum(frame_writer& to, row_sum sum) {
  std::array<char, sizeof sum.value> bytes;
  std::memcpy(bytes.data(), &sum.value, bytes.size());
  to.bytes({bytes.data(), bytes.size()});
}

row_sum read_sum(frame_reader& from) {
  row_sum sum;
  const std::string_view bytes = from.bytes("a sum", sizeof sum.value);
  if (bytes.size() != sizeof sum.value) {
    from.refuse("a sum", "has not 16 bytes");
    return sum;
  }
  std::memcpy(&sum.value, bytes.data(), sizeof sum.value);
  return sum;
}

void write_dirty(frame_writer& to, const std::vector<dirty_record>& records) {
  to.array(records.size());
  for (const dirty_record& d : records) {
    write_record(to, d);
  }
}

std::vector<dirty_record> read_dirty(frame_reader& from) {
  std::vector<dirty_record> records;
  for (std::size_t left = from.array("the list of dirty records", dirty_records_max); left > 0 && from.good();
       --left) {
    records.push_back(read_record(from));
    const std::size_t last = records.size() - 1;
    if (last > 0 && records[last].position < records[last - 1].position) {
      from.refuse("the list of dirty records", "is not in the order of positions");
    }
  }
  return records;
}

void write_changes(frame_writer& to, const change_counts& changes) {
  to.array(change_items * changes.size());
  for (const auto& [what, count] : changes) {
    to.number(what.first);
    to.number(static_cast<std::uint64_t>(what.second));
    to.number(count);
  }
}

change_counts read_changes(frame_reader& from) {
  change_counts changes;
  const std::size_t items =
      from.array("the counts of changes", change_items * fields_max * change_rules.size());
  if (items % change_items != 0) {
    from.refuse("the counts of changes", "are not three numbers each");
  }
  for (std::size_t left = items / change_items; left > 0 && from.good(); --left) {
    const auto column = static_cast<std::uint32_t>(from.number("a changed column", fields_max - 1));
    const auto rule = static_cast<change_rule>(from.number("a rule of changes", change_rules.size() - 1));
    changes[{column, rule}] += from.number("a count of changes");
  }
  return changes;
}

void write_counts(frame_writer& to, const record_counts& counts) {
  const auto numbers = numbers_of(counts);
  to.array(numbers.size());
  for (const std::uint64_t* n : numbers) {
    to.number(*n);
  }
}

record_counts read_counts(frame_reader& from) {
  record_counts counts;
  const auto numbers = numbers_of(counts);
  from.array_of("the counts", numbers.size());
  for (std::uint64_t* n : numbers) {
    *n = from.number("a count");
  }
  return counts;
}

}  // namespace sluice
