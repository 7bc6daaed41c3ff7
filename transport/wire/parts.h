#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/record/change_rule.h"
#include "transport/record/dirty.h"
#include "transport/record/mark.h"
#include "transport/record/scalar.h"
#include "transport/wire/frame.h"

/// The parts that several messages share (grammar in codec.h). Reading fails through the reader's own state.
namespace sluice {

inline constexpr std::size_t scalars_max = 64;       ///< In a cursor or a split's description.
inline constexpr std::size_t name_bytes_max = 4096;  ///< Names of scalars, columns, types.
inline constexpr std::size_t scalar_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t source_bytes_max = std::size_t{64} << 10;  ///< A path or a table.
inline constexpr std::size_t dirty_record_items = 15;                   ///< The least that one takes.
inline constexpr std::size_t dirty_records_max = frame_items_max / dirty_record_items;
inline constexpr std::size_t fields_max = 65536;  ///< Columns of a record.
inline constexpr std::size_t change_items = 3;    ///< Of a column's count of changes.

void write_scalars(frame_writer& to, const scalar_list& list);
scalar_list read_scalars(frame_reader& from);

void write_cursor(frame_writer& to, const std::optional<cursor>& after);
std::optional<cursor> read_cursor(frame_reader& from);

void write_sum(frame_writer& to, row_sum sum);
row_sum read_sum(frame_reader& from);

void write_dirty(frame_writer& to, const std::vector<dirty_record>& records);
/// Refuses records that are not in the order of their positions.
std::vector<dirty_record> read_dirty(frame_reader& from);

void write_changes(frame_writer& to, const change_counts& changes);
/// Refuses rules that are none.
change_counts read_changes(frame_reader& from);

void write_counts(frame_writer& to, const record_counts& counts);
record_counts read_counts(frame_reader& from);

}  // namespace sluice
