#include <algorithm>
#include <array>
#include <cstdint>

#include "transport/base/text.h"
#include "transport/record/bits.h"
#include "transport/record/utf8.h"
#include "transport/wire/codec.h"
#include "transport/wire/frame.h"
#include "transport/wire/parts.h"

namespace sluice {
namespace {

constexpr std::size_t header_items = 21;
constexpr std::uint64_t rows_max = std::uint64_t{1} << 24;
constexpr std::size_t columns_max = fields_max;
/// position_deltas, byte_deltas, line_deltas and keys stand before the columns' buffers.
constexpr std::size_t loose_buffers = 4;
constexpr std::size_t column_buffers = 3;

std::size_t aligned(std::size_t n) {
  return (n + frame_alignment - 1) / frame_alignment * frame_alignment;
}

std::vector<const buffer*> buffers_of(const batch& b) {
  std::vector<const buffer*> all = {&b.position_deltas, b.places ? &b.places->byte_deltas : nullptr,
                                    b.places ? &b.places->line_deltas : nullptr,
                                    b.places ? &b.places->keys : nullptr};
  all.reserve(loose_buffers + column_buffers * b.columns.size());
  for (const column& c : b.columns) {
    all.insert(all.end(), {&c.validity, &c.offsets, &c.values});
  }
  return all;
}

void write_header(frame_writer& to, const batch& b, const std::vector<const buffer*>& buffers) {
  to.bytes({reinterpret_cast<const char*>(b.run.bytes.data()), b.run.bytes.size()});
  for (const std::uint64_t n :
       {std::uint64_t{b.split.value}, b.epoch.value, b.sequence, std::uint64_t{b.rows}, b.position_first,
        b.records_read, b.filtered, b.record_bytes, b.filtered_bytes}) {
    to.number(n);
  }
  write_sum(to, b.read_sum);
  write_sum(to, b.rows_sum);
  to.boolean(b.changed);
  to.boolean(b.split_end);
  write_cursor(to, b.after);
  if (b.places) {
    to.array(4);
    to.bytes(b.places->source);
    to.number(b.places->byte_offset_first);
    to.number(b.places->line_first);
    to.bytes(b.places->key_name);
  } else {
    to.nil();
  }
  write_dirty(to, b.dirty);
  write_changes(to, b.changes);
  to.array(b.columns.size());
  for (const column& c : b.columns) {
    to.number(c.null_count);
  }
  to.array(2 * buffers.size());
  std::size_t offset = 0;
  for (const buffer* part : buffers) {
    const std::size_t size = part == nullptr ? 0 : part->size();
    to.number(offset);
    to.number(size);
    offset += aligned(size);
  }
}

// ---- reading ---------------------------------------------------------------------------------------------

struct buffer_place {
  std::uint64_t offset;
  std::uint64_t size;
};

std::vector<buffer_place> read_table(frame_reader& from, std::size_t buffers) {
  std::vector<buffer_place> table(buffers);
  from.array_of("the table of buffers", 2 * buffers);
  std::uint64_t expected = 0;
  for (buffer_place& p : table) {
    p.offset = from.number("a buffer's offset", frame_bytes_max);
    p.size = from.number("a buffer's length", frame_bytes_max);
    if (p.offset != expected) {
      from.refuse("the table of buffers", "has a buffer that does not lie behind the one before");
    }
    expected += aligned(p.size);
  }
  return table;
}

bool increases(const buffer& deltas) {
  const auto* begin = deltas.as<std::uint32_t>();
  const auto* end = begin + deltas.size() / sizeof(std::uint32_t);
  return std::adjacent_find(begin, end, [](std::uint32_t a, std::uint32_t b) { return a >= b; }) == end;
}

/// Offsets begin at 0, never fall, end with the values, and a NULL has no text: what readers of a column rely
/// on.
std::string_view wrong_with_offsets(const column& c, std::uint32_t rows) {
  if (c.offsets.size() != (std::size_t{rows} + 1) * sizeof(std::int32_t)) {
    return "has another number of offsets than rows";
  }
  const auto* offsets = c.offsets.as<std::int32_t>();
  if (offsets[0] != 0 || !std::is_sorted(offsets, offsets + rows + 1) ||
      static_cast<std::uint64_t>(offsets[rows]) != c.values.size()) {
    return "has offsets that leave its values";
  }
  for (std::uint32_t row = 0; c.null_count != 0 && row < rows; ++row) {
    if (c.is_null(row) && offsets[row] != offsets[row + 1]) {
      return "has a NULL with text";
    }
  }
  return {};
}

/// The values are well formed as a whole, and none begins inside a character.
bool each_is_utf8(const column& c, std::uint32_t rows) {
  const std::string_view all(c.values.as<char>(), c.values.size());
  if (!is_utf8(all)) {
    return false;
  }
  const auto* offsets = c.offsets.as<std::int32_t>();
  return std::all_of(offsets, offsets + rows, [&](std::int32_t at) {
    const auto i = static_cast<std::size_t>(at);
    return i == all.size() || (static_cast<std::uint8_t>(all[i]) & 0xC0U) != 0x80U;
  });
}

std::string_view wrong_with(const column& c, type_id id, std::uint32_t rows) {
  if (c.validity.empty() != (c.null_count == 0) ||
      (!c.validity.empty() && c.validity.size() != bitmap_bytes(rows))) {
    return "has a validity bitmap of another length than its rows";
  }
  if (!c.validity.empty() && rows - count_set(c.validity.as<std::uint8_t>(), 0, rows) != c.null_count) {
    return "has another number of NULLs than it says";
  }
  if (!has_offsets(id)) {
    const std::size_t size = id == type_id::boolean ? bitmap_bytes(rows) : rows * fixed_width(id);
    return c.offsets.empty() && c.values.size() == size ? "" : "has values of another length than its rows";
  }
  if (const auto why = wrong_with_offsets(c, rows); !why.empty()) {
    return why;
  }
  if (id == type_id::utf8 && !each_is_utf8(c, rows)) {
    return "is text that is no well-formed UTF-8";
  }
  if (id == type_id::decimal_text && !is_ascii({c.values.as<char>(), c.values.size()})) {
    return "is a number with other characters than a number has";
  }
  return {};
}

void check_deltas(frame_reader& from, std::string_view what, const buffer& deltas, std::uint32_t rows) {
  if (!deltas.empty() && deltas.size() != rows * sizeof(std::uint32_t)) {
    from.refuse(what, "are not one a row");
  } else if (!increases(deltas)) {
    from.refuse(what, "do not increase");
  }
}

void check_contents(frame_reader& from, const batch& b) {
  check_deltas(from, "the positions", b.position_deltas, b.rows);
  if (b.places) {
    check_deltas(from, "the byte offsets", b.places->byte_deltas, b.rows);
    check_deltas(from, "the lines", b.places->line_deltas, b.rows);
    if (!b.places->keys.empty() && b.places->keys.size() != b.rows * sizeof(std::int64_t)) {
      from.refuse("the keys", "are not one a row");
    }
  }
  for (std::size_t i = 0; i < b.columns.size() && from.good(); ++i) {
    const auto why = wrong_with(b.columns[i], (*b.columns_schema)[i].type.id, b.rows);
    if (!why.empty()) {
      from.refuse(fmt::format("column {}", i), why);
    }
  }
}

void read_identity(frame_reader& from, batch& b) {
  const std::string_view run = from.bytes("the run", b.run.bytes.size());
  if (run.size() == b.run.bytes.size()) {
    std::copy(run.begin(), run.end(), b.run.bytes.begin());
  } else {
    from.refuse("the run", "has not 16 bytes");
  }
  b.split = {static_cast<std::uint32_t>(from.number("the split", ~std::uint32_t{0}))};
  b.epoch = {from.number("the epoch")};
  b.sequence = from.number("the sequence");
  b.rows = static_cast<std::uint32_t>(from.number("the number of rows", rows_max));
  b.position_first = from.number("the first position");
  b.records_read = from.number("the number of records");
  b.filtered = from.number("the number of filtered records");
  b.record_bytes = from.number("the record bytes");
  b.filtered_bytes = from.number("the bytes of filtered records");
  b.read_sum = read_sum(from);
  b.rows_sum = read_sum(from);
  b.changed = from.boolean("the flag of a change");
  b.split_end = from.boolean("the flag of the split's end");
}

void read_places(frame_reader& from, batch& b) {
  if (from.nil()) {
    return;
  }
  from.array_of("the places", 4);
  b.places.emplace();
  b.places->source = from.bytes("the source", source_bytes_max);
  b.places->byte_offset_first = from.number("the first byte offset");
  b.places->line_first = from.number("the first line");
  b.places->key_name = from.bytes("the key's name", source_bytes_max);
}

/// Cuts the body into the batch's buffers.
void take_buffers(frame_reader& from, const buffer& frame, std::string_view body, std::uint64_t pad,
                  const std::vector<buffer_place>& table, batch& b) {
  const auto body_at = static_cast<std::uint64_t>(body.data() - frame.as<char>());
  const std::uint64_t end = table.back().offset + table.back().size;
  if ((body_at + pad) % frame_alignment != 0 || body.size() < pad || body.size() - pad != end) {
    from.refuse("the body", "is not as long as its buffers, or not aligned");
    return;
  }
  std::size_t next = 0;
  const auto take = [&] {
    const buffer_place p = table[next++];
    return frame.slice(body_at + pad + p.offset, p.size);
  };
  b.position_deltas = take();
  buffer byte_deltas = take();
  buffer line_deltas = take();
  buffer keys = take();
  if (b.places) {
    b.places->byte_deltas = std::move(byte_deltas);
    b.places->line_deltas = std::move(line_deltas);
    b.places->keys = std::move(keys);
  } else if (!byte_deltas.empty() || !line_deltas.empty() || !keys.empty()) {
    from.refuse("the places", "are missing, but not what belongs to them");
  }
  for (column& c : b.columns) {
    c.validity = take();
    c.offsets = take();
    c.values = take();
  }
}

}  // namespace

result<buffer> encode(const batch& b, const std::shared_ptr<buffer_pool>& pool) {
  const auto buffers = buffers_of(b);
  std::size_t total = 0;
  std::size_t last_end = 0;
  for (const buffer* part : buffers) {
    last_end = total + (part == nullptr ? 0 : part->size());
    total += aligned(part == nullptr ? 0 : part->size());
  }
  total = last_end;  // nothing stands behind the last buffer
  if (total > frame_bytes_max) {
    return fail(error_kind::internal, "A batch of {} is more than a link carries.", bytes_text(total));
  }
  frame_writer to(pool);
  // The header without dirty records is short; with them the block grows.
  to.reserve(total + 1024 + 32 * buffers.size());
  to.array(4);
  to.number(wire_version);
  to.number(static_cast<std::uint64_t>(message_kind::batch));
  to.array(header_items);
  const std::size_t pad_place = to.small_number();
  write_header(to, b, buffers);
  const std::size_t body_at = to.size() + frame_writer::body_header_bytes;
  const std::size_t pad = aligned(body_at) - body_at;
  to.fill_small(pad_place, static_cast<std::uint8_t>(pad));
  to.begin_body(pad + total);
  to.zeros(pad);
  for (const buffer* part : buffers) {
    to.zeros(aligned(to.size()) - to.size());
    if (part != nullptr) {
      to.raw(part->data(), part->size());
    }
  }
  return to.finish();
}

result<std::shared_ptr<batch>> decode_batch(const buffer& frame, const schema_ptr& columns) {
  if (reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(std::uint64_t) != 0) {
    return fail(error_kind::internal, "A received frame is not aligned to 8 bytes.");
  }
  SLUICE_TRY(frame_reader from, frame_reader::make({frame.as<char>(), frame.size()}, wire_version));
  if (from.number("the kind") != static_cast<std::uint64_t>(message_kind::batch)) {
    from.refuse("the kind", "is not that of a batch");
  }
  from.array_of("the header", header_items);
  const std::uint64_t pad = from.number("the padding", frame_alignment - 1);
  auto b = std::make_shared<batch>();
  b->columns_schema = columns;
  read_identity(from, *b);
  b->after = read_cursor(from);
  read_places(from, *b);
  b->dirty = read_dirty(from);
  b->changes = read_changes(from);
  if (columns->size() > columns_max) {
    from.refuse("the batch", "has more columns than a link carries");
  }
  from.array_of("the counts of NULLs", columns->size());
  b->columns.resize(from.good() ? columns->size() : 0);
  for (column& c : b->columns) {
    c.null_count = static_cast<std::uint32_t>(from.number("a count of NULLs", b->rows));
  }
  const auto table = read_table(from, loose_buffers + column_buffers * columns->size());
  const std::string_view body = from.bytes("the body", frame_bytes_max);
  SLUICE_CHECK(from.done());
  take_buffers(from, frame, body, pad, table, *b);
  if (from.good()) {
    check_contents(from, *b);
  }
  SLUICE_CHECK(from.done());
  return b;
}

}  // namespace sluice
