#include "transport/wire/frame.h"

#include <msgpack/null_visitor.hpp>
#include <msgpack/pack.hpp>
#include <msgpack/unpack.hpp>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// What msgpack::packer writes to.
struct packer_target {
  growing_buffer& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};

template <class Pack>
void pack(growing_buffer& out, Pack what) {
  packer_target target{out};
  msgpack::packer<packer_target> packer(target);
  what(packer);
}

}  // namespace

void frame_writer::array(std::size_t size) {
  ++items_;
  pack(out_, [&](auto& p) { p.pack_array(static_cast<std::uint32_t>(size)); });
}

void frame_writer::nil() {
  ++items_;
  pack(out_, [&](auto& p) { p.pack_nil(); });
}

void frame_writer::boolean(bool value) {
  ++items_;
  pack(out_, [&](auto& p) { value ? p.pack_true() : p.pack_false(); });
}

void frame_writer::number(std::uint64_t value) {
  ++items_;
  pack(out_, [&](auto& p) { p.pack_uint64(value); });
}

void frame_writer::signed_number(std::int64_t value) {
  ++items_;
  pack(out_, [&](auto& p) { p.pack_int64(value); });
}

void frame_writer::bytes(std::string_view value) {
  ++items_;
  pack(out_, [&](auto& p) {
    p.pack_bin(static_cast<std::uint32_t>(value.size()));
    p.pack_bin_body(value.data(), static_cast<std::uint32_t>(value.size()));
  });
}

std::size_t frame_writer::small_number() {
  number(0);
  return out_.size() - 1;
}

void frame_writer::fill_small(std::size_t place, std::uint8_t value) {
  // A positive fixint is its own byte.
  out_.as<std::uint8_t>()[place] = value;
}

void frame_writer::begin_body(std::size_t size) {
  ++items_;
  out_.push(std::uint8_t{0xc6});  // bin 32, big endian
  out_.push(__builtin_bswap32(static_cast<std::uint32_t>(size)));
}

void frame_writer::zeros(std::size_t size) {
  const std::size_t at = out_.size();
  out_.resize(at + size);
  std::memset(out_.data() + at, 0, size);
}

result<buffer> frame_writer::finish() {
  if (items_ > frame_items_max || out_.size() > frame_bytes_max) {
    return fail(error_kind::internal,
                "A frame of {} and {} items is more than a link carries ({}, {} items).",
                bytes_text(out_.size()), with_thousands(items_), bytes_text(frame_bytes_max),
                with_thousands(frame_items_max));
  }
  return out_.seal();
}

/// Takes the parser's events. A `false` ends the parse.
class item_collector : public msgpack::null_visitor {
 public:
  item_collector(frame_reader& to, std::uint64_t version) : to_(to), version_(version) {}

  std::uint64_t other_version = 0;
  bool is_other_version = false;

  bool visit_nil() { return add({frame_reader::kind::nil, 0, {}}); }
  bool visit_boolean(bool value) { return add({frame_reader::kind::boolean, 0, {value ? 1U : 0U}}); }
  bool visit_positive_integer(std::uint64_t value) {
    if (to_.items_.size() == 1 && value != version_) {
      other_version = value;
      is_other_version = true;
      return false;
    }
    return add({frame_reader::kind::positive, 0, {value}});
  }
  bool visit_negative_integer(std::int64_t value) {
    return add({frame_reader::kind::negative, 0, {static_cast<std::uint64_t>(value)}});
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    frame_reader::item item{frame_reader::kind::bytes, size, {}};
    item.data = data;
    return add(item);
  }
  bool start_array(std::uint32_t size) {
    return ++depth_ <= frame_depth_max && add({frame_reader::kind::array, size, {}});
  }
  bool end_array() {
    --depth_;
    return true;
  }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_str(const char*, std::uint32_t) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }

 private:
  bool add(frame_reader::item item) {
    // The envelope: an array of 4 that begins with the version.
    const std::size_t at = to_.items_.size();
    const bool good = at == 0   ? item.what == frame_reader::kind::array && item.size == 4
                      : at == 1 ? item.what == frame_reader::kind::positive
                                : at < frame_items_max;
    if (good) {
      to_.items_.push_back(item);
    }
    return good;
  }

  frame_reader& to_;
  const std::uint64_t version_;
  unsigned depth_ = 0;
};

tl::unexpected<error> bad_frame(std::string_view why) {
  return tl::unexpected<error>(
      {error_kind::not_connected,
       fmt::format("The other end sent a message that cannot be read: {}. The link is closed.", why),
       "bad_frame"});
}

result<frame_reader> frame_reader::make(std::string_view frame, std::uint64_t version) {
  if (frame.size() > frame_bytes_max) {
    return bad_frame(fmt::format("it has {}, at most {} are accepted", bytes_text(frame.size()),
                                 bytes_text(frame_bytes_max)));
  }
  frame_reader reader;
  item_collector collector(reader, version);
  std::size_t end = 0;
  const bool parsed = msgpack::parse(frame.data(), frame.size(), end, collector);
  if (collector.is_other_version) {
    return tl::unexpected<error>({error_kind::not_supported,
                                  fmt::format("The other end speaks version {} of the wire, this one {}. Run "
                                              "the same version of sluice on both.",
                                              collector.other_version, version),
                                  "wire_version"});
  }
  if (!parsed || reader.items_.size() < 2) {
    return bad_frame("it is no msgpack array of [version, kind, header, body], or beyond the limits");
  }
  if (end != frame.size()) {
    return bad_frame(fmt::format("{} bytes stand behind its end", frame.size() - end));
  }
  reader.next_ = 2;
  return reader;
}

const frame_reader::item* frame_reader::take(std::string_view what, kind wanted) {
  if (!good()) {
    return nullptr;
  }
  if (next_ == items_.size() || items_[next_].what != wanted) {
    refuse(what, next_ == items_.size() ? "is missing" : "is of another type");
    return nullptr;
  }
  return &items_[next_++];
}

std::size_t frame_reader::array(std::string_view what, std::size_t size_max) {
  const item* i = take(what, kind::array);
  if (i == nullptr) {
    return 0;
  }
  if (i->size > size_max) {
    refuse(what, fmt::format("has {} parts, at most {} are accepted", i->size, size_max));
    return 0;
  }
  return i->size;
}

void frame_reader::array_of(std::string_view what, std::size_t size) {
  if (array(what, size) != size) {
    refuse(what, fmt::format("has not {} parts", size));
  }
}

bool frame_reader::nil() {
  const bool is_nil = good() && next_ < items_.size() && items_[next_].what == kind::nil;
  next_ += is_nil ? 1 : 0;
  return is_nil;
}

bool frame_reader::boolean(std::string_view what) {
  const item* i = take(what, kind::boolean);
  return i != nullptr && i->number != 0;
}

std::uint64_t frame_reader::number(std::string_view what, std::uint64_t max) {
  const item* i = take(what, kind::positive);
  if (i == nullptr) {
    return 0;
  }
  if (i->number > max) {
    refuse(what, fmt::format("is {}, at most {} is accepted", i->number, max));
    return 0;
  }
  return i->number;
}

std::int64_t frame_reader::signed_number(std::string_view what) {
  if (good() && next_ < items_.size() && items_[next_].what == kind::negative) {
    return static_cast<std::int64_t>(items_[next_++].number);
  }
  return static_cast<std::int64_t>(number(what, ~std::uint64_t{0} >> 1));
}

std::string_view frame_reader::bytes(std::string_view what, std::size_t size_max) {
  const item* i = take(what, kind::bytes);
  if (i == nullptr) {
    return {};
  }
  if (i->size > size_max) {
    refuse(what, fmt::format("has {} bytes, at most {} are accepted", i->size, size_max));
    return {};
  }
  return {i->data, i->size};
}

void frame_reader::refuse(std::string_view what, std::string_view why) {
  if (good()) {
    failure_ = fmt::format("{} {}", what, why);
  }
}

result<void> frame_reader::done() {
  if (good() && next_ != items_.size()) {
    refuse("the message", "has more parts than it should");
  }
  return good() ? result<void>() : result<void>(bad_frame(failure_));
}

}  // namespace sluice
