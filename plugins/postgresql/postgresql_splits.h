#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_read_plan.h"

/// By what a table is split: ranges of a key, whose bounds come of a sample of its rows, or of the blocks in
/// which they lie. docs/decisions/092-splits.md
namespace sluice::postgresql {

/// The column as a part of a key by whose ranges a table is split; nothing where its type has no order, or no
/// text that means the same value again.
std::optional<split_column> split_column_of(const table_column& column);

/// The columns, as far as they are fit, of the key in whose order the table's rows can be read; empty: it has
/// none.
std::vector<split_column> automatic_split_key(const table_info& table);

/// Looks into about so many pages of a table, whatever it has.
inline constexpr std::uint64_t sample_pages = 400;
/// Keys of a sample that are kept: enough for a split of a thousandth of the table.
inline constexpr std::uint32_t sample_keys_max = 1000;

/// Keys of rows that meet the condition, rising as the server compares them and spread as the rows are: at
/// most `sample_keys_max`. `pages`: of the table. Of another product than PostgreSQL they lie evenly between
/// the smallest and the greatest where the type can be divided, else they are those of some rows.
result<std::vector<relational::key_bound>> sample_keys(connection& c, const relation_plan& relation,
                                                       std::uint64_t pages, const std::string& where);

/// What a table, its partitions and its children lie in.
struct table_pages {
  std::vector<std::uint64_t> of_each;  ///< Pages of each that holds rows.
  bool by_ctid = false;                ///< All are heaps, and the server finds ranges of ctid.
  bool has_foreign = false;            ///< A sample would read all of that one.
  [[nodiscard]] std::uint64_t all() const;
};
result<table_pages> look_at_pages(connection& c, std::uint32_t table);

/// Rising numbers of blocks that cut tables of so many each, read side by side, into ranges of as many
/// blocks.
std::vector<std::uint64_t> block_bounds(const std::vector<std::uint64_t>& pages, std::uint32_t ranges);

/// The splits between such bounds; the last one is open. `about` and `label` as `splits_between`.
std::vector<split> splits_of_blocks(const std::vector<std::uint64_t>& bounds, const scalar_list& about,
                                    const std::string& label);

/// What the splits by blocks of one table have in common.
std::string table_of_blocks(scalar_list split);

/// `source_changed` where splits by blocks of one table were delivered in part: the others would be read
/// under another snapshot, in which a row may lie elsewhere.
result<void> check_blocks_are_whole(const std::vector<frozen_split>& splits);

}  // namespace sluice::postgresql
