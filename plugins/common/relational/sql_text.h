#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::relational {

/// How a product writes names, texts and comments.
struct sql_rules {
  char name_quote = '"';
  bool backtick_names = false;       ///< `` `x` `` is a name, too.
  bool bracket_names = false;        ///< `[x]` likewise.
  bool double_quoted_texts = false;  ///< `"x"` is a text, as MySQL has it; a quoted name otherwise.
  bool backslash_escapes = false;    ///< In every text; without it in `E'…'` only.
  bool hash_comments = false;        ///< `#` to the end of the line.
  bool dashes_need_blank = false;    ///< `--1` is no comment, `-- 1` is.
  bool dollar_texts = false;         ///< `$tag$ … $tag$`
  bool nested_comments = false;      ///< `/* /* */ */` is one.
  bool version_comments = false;     ///< `/*! … */` is run, and counts as SQL.
  /// `ROWNUM()` and `@x := @x + 1`: values that hang on the rows before, as MySQL and MariaDB have them.
  bool counts_rows = false;
  bool bare_rownum = false;  ///< And ROWNUM without brackets, as with MariaDB's sql_mode ORACLE.
};

enum class token_kind { word, quoted_name, text, number, symbol };

struct sql_token {
  token_kind kind = token_kind::symbol;
  std::string_view text;  ///< As it stands, with its quotes.
  std::size_t depth = 0;  ///< Brackets it is inside of; `(` and `)` themselves count as outside.
};

/// The tokens of a text, comments and blanks left out. Of one that breaks off inside a text or comment the
/// last token reaches to the end. The views are of `sql`.
std::vector<sql_token> tokens_of(std::string_view sql, const sql_rules& rules);
/// The same by statement, parted at `;`; empty ones left out.
std::vector<std::vector<sql_token>> statements_of(std::string_view sql, const sql_rules& rules);

/// A statement or condition without the semicolons at its end, also the full-width one (job-formats 6.5), and
/// the comments behind them.
std::string without_semicolons(std::string_view text, const sql_rules& rules);

/// Whether a token is that word, ignoring case.
bool is_word(const sql_token& token, std::string_view word);
/// Whether a statement begins with the word, comments and opening brackets before it left out.
bool begins_with_word(std::string_view sql, std::string_view word, const sql_rules& rules);

/// What in an expression, condition or query makes its result depend on more than one row, so that reading by
/// parts would change it: `the aggregate max`, `a window (OVER)`, `DISTINCT`, `GROUP BY`, `LIMIT`, `ORDER
/// BY`. What stands inside a subquery does not count. Nothing where there is none.
std::optional<std::string> what_forbids_splitting(std::string_view sql, const sql_rules& rules);
/// Likewise, aggregates only.
std::optional<std::string> aggregate_in(std::string_view sql, const sql_rules& rules);
/// The SELECT that tells whether one of the expressions is an aggregate that no list of words knows: of no
/// rows it makes one row of an aggregate, and none of anything else. Only those that may call a function,
/// inside a subquery too, where an aggregate of the outer query's columns is the outer query's. Nothing
/// where none does.
std::optional<std::string> aggregate_probe(const std::vector<std::string>& expressions, std::string_view from,
                                           const sql_rules& rules);
/// What such a SELECT has found: `an aggregate in "my_agg(1)"`.
std::string probed_aggregate(const std::vector<std::string>& expressions, const sql_rules& rules);

/// `"na""me"`: the name in the product's quotes.
std::string quoted_name(std::string_view name, const sql_rules& rules);
/// The name of `"na""me"` or `name`; a text that is no one name is returned as it is.
std::string bare_name(std::string_view text, const sql_rules& rules);

/// An entry of a SELECT's list.
struct select_item {
  std::string_view expression;
  std::string alias;  ///< Without quotes; empty: it has none.
};
/// `b * 2 AS x` parted at its last AS, outside of brackets and quotes; `b x` at its blank, where `b` is one
/// name and `is_column` says that it is a column's. Anything else has no alias that can be seen.
select_item select_item_of(std::string_view text, const sql_rules& rules,
                           const std::function<bool(std::string_view)>& is_column);
/// The last token of what may be an expression with an alias that stands without AS; empty where it cannot.
std::string_view may_be_alias(std::string_view text, const sql_rules& rules);

/// A part of a name.
struct name_part {
  std::string name;     ///< Without quotes.
  bool quoted = false;  ///< It stood in quotes.
};
/// `shop.orders`, `"shop"."Orders"`, `orders`: its parts, at least one; nothing where the text is none.
std::optional<std::vector<name_part>> name_parts(std::string_view text, const sql_rules& rules);

/// `t_[0-2]` to `t_0`, `t_1`, `t_2`; `t_[00-12]` keeps its zeros; a comma list is split first
/// (job-formats 2.0). Outside quotes only. Anything else is itself. Nothing where the range is broken or has
/// more than `tables_max` tables.
std::optional<std::vector<std::string>> tables_named_by(std::string_view text, const sql_rules& rules,
                                                        std::size_t tables_max = 10'000);

/// Whether one of the statements removes all rows of the table: DELETE without WHERE, TRUNCATE, or what
/// `drops_table` sees. `table` as `name_parts`; names are compared ignoring case, a schema only where both
/// have one. False where it cannot be seen (a trigger, a condition that is always true).
bool empties_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules);
/// Whether one of the statements makes a table of that name: CREATE TABLE, ALTER TABLE … RENAME, or
/// RENAME TABLE.
bool makes_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules);
/// Whether one of them takes it away: DROP TABLE, or one of the two renames.
bool drops_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules);
/// The tables of which the statements change the definition or the whole content, so that they wait for
/// whoever reads them: ALTER, DROP, RENAME, TRUNCATE, OPTIMIZE, REPAIR and FLUSH of tables, and CREATE or
/// DROP of an index or trigger ON them.
std::vector<std::vector<name_part>> tables_altered_by(std::string_view sql, const sql_rules& rules);

}  // namespace sluice::relational
