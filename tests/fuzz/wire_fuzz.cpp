// Decodes arbitrary bytes as a frame, and uses all that a decoded message holds as later code would. The
// first byte chooses the schema that a batch is read with.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "transport/record/batch_builder.h"
#include "transport/record/canonical.h"
#include "transport/wire/codec.h"

namespace {

using namespace sluice;

schema_ptr schema_of(std::uint8_t choice) {
  schema s;
  const auto add = [&](data_type type) { s.push_back({.name = "c", .type = type}); };
  if (choice < 14) {
    add(type_of(static_cast<type_id>(choice + 1)));
  } else if (choice == 14) {
    // That of the golden batch in tests/data/wire.
    add(type_of(type_id::int64));
    add(decimal_type(10, 2));
    add(type_of(type_id::utf8));
    add(type_of(type_id::boolean));
    add(type_of(type_id::date));
    add(time_type(type_id::timestamp, time_unit::milli));
  } else if (choice == 15) {
    for (std::uint8_t id = 1; id <= 14; ++id) {
      add(type_of(static_cast<type_id>(id)));
    }
  }
  return std::make_shared<const schema>(std::move(s));
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void use(const batch& b, const std::shared_ptr<buffer_pool>& pool) {
  const schema& columns = *b.columns_schema;
  (void)b.row_bytes(0, b.rows);
  (void)canonical_sum(b.columns, columns, 0, b.rows);
  if (b.rows != 0) {
    (void)dirty_from_row(b, 0, dirty_side::writer);
    (void)dirty_from_row(b, b.rows - 1, dirty_side::writer);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::uint32_t row = 0; row < b.rows && row < 64; ++row) {
      (void)value_text(b.columns[i], columns[i].type, row);
    }
    column_builder copy(columns[i].type, pool);
    copy.append_range(b.columns[i], 0, b.rows);
    (void)copy.seal();
  }
  (void)select_rows(b, std::vector<std::uint8_t>(b.rows / 8 + 1, 0x55), pool);
  // What was decoded can be sent on, and arrives as it was.
  const auto frame = encode(b, pool);
  require(frame.has_value());
  const auto again = decode_batch(*frame, b.columns_schema);
  require(again.has_value() && (*again)->rows == b.rows && (*again)->dirty == b.dirty);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  // A block of just the frame's size, aligned as a receiver's is, so that reading behind it is seen.
  const std::shared_ptr<void> block(std::malloc(size - 1), &std::free);
  std::memcpy(block.get(), data + 1, size - 1);
  const buffer frame(static_cast<const std::byte*>(block.get()), size - 1, block);
  const auto pool = buffer_pool::make(0);
  const auto kind = kind_of(frame);
  const auto control = decode_control(frame);
  const auto b = decode_batch(frame, schema_of(data[0] % 17));
  require(kind.has_value() || (!control && !b));
  require(!control || !b);
  if (control) {
    const auto again = encode(*control, pool);
    // Not compared by value: a NaN differs from itself.
    require(again.has_value() && decode_control(*again).has_value());
  }
  if (b) {
    use(**b, pool);
  }
  return 0;
}
