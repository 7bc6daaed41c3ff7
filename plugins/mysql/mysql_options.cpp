#include "plugins/mysql/mysql_options.h"

#include <fmt/format.h>

#include <array>

#include "plugins/common/relational/snapshot_age.h"
#include "plugins/mysql/mysql_url.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

zero_date zero_date_named(std::string_view name) {
  return name == "null" ? zero_date::null : name == "text" ? zero_date::text : zero_date::dirty;
}

template <class Own>
void append_own(std::vector<option>& list, const Own& own) {
  list.insert(list.end(), own.begin(), own.end());
}

result<std::vector<placed_text>> placed_list(const option_values& values, const std::string& name) {
  SLUICE_TRY(const auto texts, values.text_list(name));
  std::vector<placed_text> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out.push_back({texts[i], values.place(fmt::format("{}[{}]", name, i))});
  }
  return out;
}

}  // namespace

const relational::sql_rules& sql_rules() {
  static const relational::sql_rules rules = {.name_quote = '`',
                                              .double_quoted_texts = true,
                                              .backslash_escapes = true,
                                              .hash_comments = true,
                                              .dashes_need_blank = true,
                                              .version_comments = true};
  return rules;
}

const relational::options_dialect& options_dialect() {
  static const relational::options_dialect dialect = {
      .product = "MySQL and MariaDB",
      .url = &url_dialect(),
      .rules = sql_rules(),
      .sample_url = "jdbc:mysql://<host>:3306/<database>",
      .sample_table = "`t`, `db.t`",
      .write_words = {{"insert", write_mode::insert},
                      {"insert into", write_mode::insert},
                      {"replace", write_mode::replace},
                      {"replace into", write_mode::replace},
                      {"update", write_mode::update},
                      {"ignore", write_mode::ignore},
                      {"insert ignore", write_mode::ignore},
                      {"insert ignore into", write_mode::ignore}},
      .write_meaning =
          "`insert`: a row that a key refuses is dirty. `replace`: it replaces the rows with its keys "
          "(REPLACE). `update`: it updates the row with its key (ON DUPLICATE KEY UPDATE), all "
          "mapped columns or those of `updateColumn`. `ignore`: it is left out and counted; what "
          "else the server refuses stays dirty.",
      .split_meaning =
          "by ranges of the primary key or another unique NOT NULL one, whose bounds come of the server's "
          "estimates of rows in ranges (index dives); small tables, tables without such a key, views, and "
          "what is read with an aggregate, a window, DISTINCT, GROUP BY, LIMIT or ORDER BY are one split.",
      .fetch_rows = 1024,
      .fetch_rows_datax = 1024,
      .batch_rows = 256,
      .batch_rows_datax = 2048,
      .batch_bytes = std::uint64_t{32} << 20};
  return dialect;
}

std::vector<option> source_option_list() {
  std::vector<option> list = relational::reader_option_list(options_dialect());
  append_own(
      list,
      std::array{
          option{.name = "zeroDate",
                 .meaning =
                     "What becomes of dates that are zero or have a zero month or day: `dirty`, `null`, or "
                     "`text`, which delivers all dates and times of DATE, DATETIME and TIMESTAMP columns as "
                     "the server's text, those of TIMESTAMP with the offset `+00:00` behind them (not the "
                     "zero ones): such a text is read as a point in time, and dirty where a wall clock is "
                     "written (DATETIME). Unset, `zeroDateTimeBehavior` of the address decides.",
                 .default_text = "dirty",
                 .allowed = {"dirty", "null", "text"}},
          option{.name = "snapshot",
                 .meaning = "`none`: each split is read in a snapshot of its own. `shared`: all connections "
                            "of a database read under one, until the end of the run; it is begun "
                            "without a lock where that can be shown to be right, else under LOCK TABLES "
                            "… READ of the job's tables, which is waited for 2 s at most and let go "
                            "of as soon as all connections have begun; else the job is refused.",
                 .default_text = "none",
                 .allowed = {"none", "shared"}},
          relational::snapshot_age_option(), relational::invalid_text_option()});
  return list;
}

std::vector<option> target_option_list() {
  std::vector<option> list = relational::writer_option_list(options_dialect());
  append_own(
      list,
      std::array{
          option{.name = "updateColumn",
                 .type = option_type::text_list,
                 .meaning = "With `writeMode` `update`: the columns that are updated where the key is "
                            "there already. Without it all that are mapped."},
          option{.name = "nullMode",
                 .meaning = "What becomes of NULL: `writeNull` writes it; `skipNull` leaves the column of "
                            "that row out, so that it takes the table's default. Not with `writeMode` "
                            "`update`.",
                 .default_text = "writeNull",
                 .allowed = {"writeNull", "skipNull"}},
          option{.name = "skipNullColumn",
                 .type = option_type::text_list,
                 .meaning = "The columns for which `skipNull` counts. Without it all that are mapped."}});
  return list;
}

result<source_options> read_source_options(const option_values& values, const relational::warning_sink& warn,
                                           bool strict) {
  source_options out;
  SLUICE_TRY(static_cast<relational::reader_options&>(out),
             relational::read_reader_options(values, options_dialect(), warn, strict));
  SLUICE_TRY(const auto zeros, values.text("zeroDate"));
  SLUICE_TRY(const auto snapshot, values.text("snapshot"));
  out.shares_snapshot = snapshot == "shared";
  SLUICE_TRY(out.snapshot_age_max, relational::snapshot_age_of(values));
  SLUICE_TRY(out.invalid_text, relational::read_text_rule(values, "invalidText"));
  const std::string of_address = out.option_default("zeroDate");
  out.zeros =
      zero_date_named(values.has("zeroDate") || of_address.empty() ? zeros.value_or("dirty") : of_address);
  return out;
}

result<target_options> read_target_options(const option_values& values,
                                           const relational::warning_sink& warn) {
  target_options out;
  SLUICE_TRY(static_cast<relational::writer_options&>(out),
             relational::read_writer_options(values, options_dialect(), warn));
  SLUICE_TRY(out.update_columns, placed_list(values, "updateColumn"));
  SLUICE_TRY(out.skip_columns, placed_list(values, "skipNullColumn"));
  SLUICE_TRY(const auto nulls, values.text("nullMode"));
  out.skips_nulls = nulls == "skipNull";
  if (out.skips_nulls && out.mode == write_mode::update) {
    return values.bad("nullMode",
                      "found \"skipNull\", expected \"writeNull\" with \"writeMode\" \"update\": a "
                      "row that is there would keep its old value");
  }
  if (!out.update_columns.empty() && out.mode != write_mode::update) {
    return values.bad("updateColumn",
                      fmt::format("it counts with \"writeMode\" \"update\" only, and that is {}; "
                                  "leave it out, or change the mode",
                                  in_quotes(relational::to_string(out.mode))));
  }
  return out;
}

}  // namespace sluice::mysql
