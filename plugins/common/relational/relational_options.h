#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/common/relational/connect_options.h"
#include "plugins/common/relational/sql_text.h"
#include "plugins/common/relational/url_properties.h"

namespace sluice::relational {

enum class write_mode : std::uint8_t { insert, copy, replace, update, ignore };
std::string_view to_string(write_mode mode);

/// How a table is split where no `splitPk` says it.
enum class split_mode : std::uint8_t {
  none,
  automatic,  ///< By what the server knows of the table, where that changes no result.
  blocks,     ///< By where the rows lie, also where a key is there.
};

/// A word of `writeMode`.
struct write_word {
  std::string_view word;  ///< In lower case, one blank between words; compared ignoring case.
  write_mode mode;
};

/// What a product's jobs may say. Static data of the plugin.
struct options_dialect {
  std::string_view product;  ///< `PostgreSQL`
  const url_dialect* url = nullptr;
  sql_rules rules;
  std::string_view sample_url;    ///< `jdbc:postgresql://<host>:5432/<database>`
  std::string_view sample_table;  ///< `t`, `schema.t`
  /// Stands around the `cluster:tenant` before an address, to which the account belongs; empty: nowhere.
  std::string_view tenant_mark = {};
  std::vector<write_word> write_words;
  std::string_view write_meaning;  ///< Of `writeMode`, for its description.
  std::string_view split_meaning;  ///< Of `splitMode` `auto`.
  /// Of `splitMode` `ctid`; empty where there is no such thing.
  std::string_view blocks_meaning = {};
  std::uint32_t fetch_rows = 1024;
  std::uint32_t fetch_rows_datax = 1024;
  std::uint32_t batch_rows = 1024;
  std::uint32_t batch_rows_datax = 2048;
  std::uint64_t batch_bytes = 32u << 20;
};

/// One entry of `connection`, or the flat form: a database and what is read or written there.
struct database_part {
  connect_options connect;
  std::vector<placed_text> tables;   ///< Ranges and lists are expanded; each once.
  std::vector<placed_text> queries;  ///< `querySql`; then there are no tables.
};

/// What both sides ask of their options.
struct end_options {
  std::vector<database_part> parts;  ///< At least one.
  std::vector<placed_text> columns;  ///< As in the job; `*` alone is `all_columns`.
  bool all_columns = false;
  bool by_name = false;              ///< Of a writer: `mapping` is `name`.
  std::vector<placed_text> session;  ///< Statements for each connection; blank ones left out.
  /// What `option_defaults` of all connections say of an option: empty where they say nothing.
  [[nodiscard]] std::string option_default(std::string_view name) const;
};

struct reader_options : end_options {
  bool queries = false;  ///< `querySql`: neither tables, nor columns, where and splitPk count.
  std::string where;     ///< Without its closing semicolons; empty = all rows.
  std::string where_place;
  std::string split_pk;  ///< Without quotes; empty = one slice.
  std::string split_pk_place;
  split_mode split = split_mode::none;  ///< Where `split_pk` is empty.
  std::uint32_t split_factor = 5;
  std::uint32_t fetch_rows = 1024;
};

struct writer_options : end_options {
  write_mode mode = write_mode::insert;
  std::string write_mode_place;
  std::vector<placed_text> pre_sql;  ///< Blank ones left out; `@table` stands (`with_table`).
  std::vector<placed_text> post_sql;
  bool create_table = false;
  bool empty_as_null = false;
  std::uint32_t batch_rows = 1024;
  std::uint64_t batch_bytes = 32u << 20;
  [[nodiscard]] const connect_options& connect() const { return parts.front().connect; }
  [[nodiscard]] const placed_text& table() const { return parts.front().tables.front(); }
};

using warning_sink = std::function<void(std::string)>;

/// Says each warning once, however often what finds it is done. Used by one thread.
class once_warner {
 public:
  explicit once_warner(warning_sink sink) : sink_(std::move(sink)) {}
  void operator()(const std::string& place, const std::vector<std::string>& texts);

 private:
  warning_sink sink_;
  std::set<std::string> told_;
};

/// The options of either side, in the order of the page; the plugin's own ones go behind them.
std::vector<option> reader_option_list(const options_dialect& dialect);
std::vector<option> writer_option_list(const options_dialect& dialect);

/// `mapping` of a writer: its description, and whether it says `name`.
option mapping_option();
result<bool> maps_by_name(const option_values& values);

/// From the job's text alone, no I/O: `bad_option` with all mistakes and their places.
/// `strict`: what is the product's own and no default of the manual's does not count.
result<reader_options> read_reader_options(const option_values& values, const options_dialect& dialect,
                                           const warning_sink& warn, bool strict = false);
result<writer_options> read_writer_options(const option_values& values, const options_dialect& dialect,
                                           const warning_sink& warn);
/// What connects alone, for a test of a data source, templates and copies.
result<connect_options> read_connect_options(const option_values& values, const options_dialect& dialect,
                                             const warning_sink& warn);

/// The values of a list, or one text, with their places; blank ones left out. `as_written`: with the blanks
/// around them, which may be a column name's own.
result<std::vector<placed_text>> placed_texts(const option_values& values, const std::string& name,
                                              bool as_written = false);

/// `properties`: its description, and its members with their places.
option properties_option();
result<placed_properties> read_properties(const option_values& where);

/// Statements of `preSql` or `postSql`, blank ones left out; `bad_option` where one begins or ends a
/// transaction.
result<std::vector<placed_text>> read_steps(const option_values& values, const std::string& name,
                                            const sql_rules& rules);

/// The text with `@table` replaced by the table's name as SQL writes it.
std::string with_table(std::string_view sql, std::string_view table);

}  // namespace sluice::relational
