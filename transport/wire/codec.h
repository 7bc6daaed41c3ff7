#pragma once

#include <memory>
#include <variant>

#include "transport/record/batch.h"
#include "transport/wire/messages.h"

// One message is one frame, one msgpack value without anything behind it:
//
//   frame    = [version, kind, header, body]
//   version  = uint            wire_version; another one is refused, whatever follows
//   kind     = uint            message_kind
//   body     = bin             empty but for a batch
//
//   header of a batch =
//     [pad, run, split, epoch, sequence, rows, position_first, records_read, filtered, record_bytes,
//     filtered_bytes, read_sum, rows_sum, changed, split_end, after, places, dirty, changes, null_counts,
//     buffers]
//   pad      = uint            0 to 63: bytes in front of the body's first buffer, so that it lies at a
//   multiple of 64
//                              of the frame
//   run      = bin 16;  read_sum, rows_sum = bin 16, little endian;  changed, split_end = bool;  the others
//   uint after    = nil | scalars places   = nil | [source: bin, byte_offset_first: uint, line_first: uint,
//                                                            key_name: bin]
//   dirty    = [record *]
//   changes  = [(column: uint, rule: uint, count: uint) *]   by column and rule; numbers of `change_rule`
//   null_counts = [uint *]     one a column
//   buffers  = [(offset: uint, length: uint) *]   offsets from behind the pad, each the next multiple of 64
//   behind
//                              the buffer before: position_deltas, byte_deltas, line_deltas, keys, then of
//                              each column validity, offsets, values as in struct batch; an absent buffer has
//                              length 0
//   body     = bin 32: pad zeros, the buffers, zeros between them
//
//   scalars  = [[name: bin, kind: uint, value] *]   kind 0 nil, 1 bool, 2 int, 3 uint, 4 uint (a float64's
//   bits),
//                              5 bin (UTF-8), 6 bin
//   record   = [position: uint, side: uint, source: bin, line: nil | uint, byte_offset: nil | uint, key: bin,
//               column: bin, value: nil | bin, target_type: bin, code: bin, message: bin, fields,
//               record_bytes: uint, cut: bool, sum: bin 16]
//   fields   = [[name: bin, type: bin, text: nil | bin] *]
//   counts   = [read, written, ignored, dirty, filtered, bytes, dirty_bytes, filtered_bytes]
//
//   header of the others = their members in the order of messages.h; `after` as above, lists as above
//
// The schema is not part of a frame: both ends agree on it when a pipeline is made.

namespace sluice {

/// Raised with every change of the grammar; there is one program on both ends, so only one version is spoken.
inline constexpr std::uint64_t wire_version = 3;

/// Never reused.
enum class message_kind : std::uint8_t {
  batch = 1,
  rewind = 2,
  credit = 3,
  sent = 4,
  dirty_report = 5,
  dirty_sync = 6,
  dirty_commit = 7,
  dirty_drop = 8,
  dirty_synced = 9,
  dirty_dropped = 10,
};

/// Every message of a pipeline but the batch.
using control_message = std::variant<rewind_msg, credit_msg, sent_msg, dirty_report, dirty_sync, dirty_commit,
                                     dirty_drop, dirty_synced, dirty_dropped>;

/// The batch as one frame from the pool: one copy of its buffers. `lease` stays behind. `internal` where the
/// batch is larger than a frame may be.
result<buffer> encode(const batch& b, const std::shared_ptr<buffer_pool>& pool);
result<buffer> encode(const control_message& message, const std::shared_ptr<buffer_pool>& pool);

/// What a frame is, before it is decoded. `not_supported` for another version, `not_connected` for a bad
/// frame.
result<message_kind> kind_of(const buffer& frame);

/// The batch whose buffers are views into the frame and keep it alive; the frame must be aligned to 8 bytes.
/// Everything is checked that later code relies on: lengths, offsets, bitmaps' counts, UTF-8, order of
/// positions. `not_connected` where anything is wrong, and nothing was made then; never anything else but by
/// memory.
result<std::shared_ptr<batch>> decode_batch(const buffer& frame, const schema_ptr& columns);
result<control_message> decode_control(const buffer& frame);

}  // namespace sluice
