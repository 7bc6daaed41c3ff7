#include "plugins/mysql/mysql_options.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "jobspec/words.h"
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

/// A key of DataX's plugins for OceanBase that does nothing here, and what to do about it.
struct oceanbase_key {
  std::string_view name;
  std::string_view instead;
};
constexpr auto of_reader = std::to_array<oceanbase_key>({
    {"weakRead", "rows are read as they are, not from replicas that may be behind"},
    {"readByPartition", "say with \"splitPk\" or \"splitMode\" how the table is split"},
    {"readBatchSize", "rows come as they are read, in one SELECT"},
    {"timeout", "\"statementTimeout\" in \"jdbcUrl\" limits a statement"},
    {"queryTimeoutSecond", "\"statementTimeout\" in \"jdbcUrl\" limits a statement"},
    {"retryLimit", "splits that fail are read again as --retries says"},
    {"reuseConn", "each pipeline keeps its connection"},
});
constexpr auto of_writer = std::to_array<oceanbase_key>({
    {"memstoreThreshold", "how full the tenant's memory is is not looked at; \"mbps\" slows the run down"},
    {"memstoreCheckIntervalSecond", "how full the tenant's memory is is not looked at"},
    {"writerThreadCount", "\"concurrent\" or \"channel\" says how many write"},
    {"writerSubTaskCount", "\"concurrent\" or \"channel\" says how many write"},
    {"maxActiveConnection", "each pipeline has one connection"},
    {"concurrentWrite", "each pipeline writes by itself"},
    {"failTryCount", "what fails is tried again as --retries says"},
    {"timeout", "\"statementTimeout\" in \"jdbcUrl\" limits a statement"},
    {"usePartCalculator", "which partition a row goes to is left to the server"},
    {"obVersion", "the server says it itself"},
    {"printCost", "the summary has what the run waited for"},
    {"costBound", "the summary has what the run waited for"},
    {"ocjGetConnectTimeout", "\"connectTimeout\" in \"jdbcUrl\" limits it"},
    {"ocjProxyConnectTimeout", "\"connectTimeout\" in \"jdbcUrl\" limits it"},
    {"ocjCreateResourceTimeout", "\"connectTimeout\" in \"jdbcUrl\" limits it"},
    {"rpcPort", "it is of \"directPath\""},
    {"parallel", "it is of \"directPath\""},
    {"bufferSize", "it is of \"directPath\""},
    {"heartBeatInterval", "it is of \"directPath\""},
    {"heartBeatTimeout", "it is of \"directPath\""},
});

constexpr const char* compatibility = "obCompatibilityMode";

void append_oceanbase(std::vector<option>& list, std::span<const oceanbase_key> keys) {
  for (const oceanbase_key& key : keys) {
    list.push_back({.name = std::string(key.name),
                    .meaning = fmt::format("Of DataX's plugins for OceanBase; has no effect, with a warning: "
                                           "{}.",
                                           key.instead)});
  }
  list.push_back({.name = compatibility,
                  .meaning = "Of DataX's plugins for OceanBase: `MYSQL`. A tenant in Oracle mode is refused: "
                             "its SQL and types are Oracle's."});
}

result<void> read_oceanbase(const option_values& values, std::span<const oceanbase_key> keys,
                            const relational::warning_sink& warn) {
  for (const oceanbase_key& key : keys) {
    const std::string name(key.name);
    if (warn && values.has(name)) {
      warn(fmt::format("{}: has no effect: {}; leave it out", values.place(name), key.instead));
    }
  }
  SLUICE_TRY(const auto mode, values.text(compatibility));
  if (mode && lower(*mode) != "mysql") {
    return values.bad(
        compatibility,
        fmt::format("found {}, expected \"MYSQL\": SQL and types of a tenant in Oracle mode are "
                    "Oracle's, which is not supported; name a tenant in MySQL mode",
                    in_quotes(*mode)));
  }
  return {};
}

/// `a, b` of `obUpdateColumns`.
result<std::vector<placed_text>> update_columns_of_oceanbase(const option_values& values) {
  std::vector<placed_text> out;
  SLUICE_TRY(const auto text, values.text("obUpdateColumns"));
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (const std::string_view name = trimmed(one); !name.empty()) {
      out.push_back({std::string(name), values.place("obUpdateColumns")});
    }
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
                                              .version_comments = true,
                                              .counts_rows = true};
  return rules;
}

const relational::options_dialect& options_dialect() {
  static const relational::options_dialect dialect = {
      .product = "MySQL and MariaDB",
      .url = &url_dialect(),
      .rules = sql_rules(),
      .sample_url = "jdbc:mysql://<host>:3306/<database>",
      .sample_table = "`t`, `db.t`",
      .tenant_mark = "||_dsc_ob10_dsc_||",
      .write_words = {{"insert", write_mode::insert},
                      {"insert into", write_mode::insert},
                      // Priorities count for engines that lock whole tables; those are not written.
                      {"insert low_priority", write_mode::insert},
                      {"insert high_priority", write_mode::insert},
                      {"insert delayed", write_mode::insert},
                      {"replace", write_mode::replace},
                      {"replace into", write_mode::replace},
                      {"replace low_priority", write_mode::replace},
                      {"replace delayed", write_mode::replace},
                      {"update", write_mode::update},
                      {"update(…)", write_mode::update},  // DataX reads no further than `update`
                      {"ignore", write_mode::ignore},
                      {"insert ignore", write_mode::ignore},
                      {"insert ignore into", write_mode::ignore},
                      {"insert low_priority ignore", write_mode::ignore},
                      {"insert high_priority ignore", write_mode::ignore},
                      {"insert delayed ignore", write_mode::ignore}},
      .write_meaning =
          "`insert`: a row that a key refuses is dirty. `replace`: it replaces the rows with its keys "
          "(REPLACE). `update`: it updates the row with its key (ON DUPLICATE KEY UPDATE), all "
          "mapped columns or those of `updateColumn`. `ignore`: it is left out and counted; what "
          "else the server refuses stays dirty.",
      .split_meaning =
          "by ranges of the primary key or another unique NOT NULL one, whose bounds come of the server's "
          "estimates of rows in ranges (index dives); small tables, tables without such a key, views, and "
          "what is read with an aggregate, a window, DISTINCT, GROUP BY, LIMIT, ORDER BY, ROWNUM, a variable "
          "that is set (:=) or a stored function that is not DETERMINISTIC are one split.",
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
                            "of a database read under one, until the last split is read; it is begun "
                            "without a lock where that can be shown to be right, else under LOCK TABLES "
                            "… READ of the job's tables, which is waited for 2 s at most and let go "
                            "of as soon as all connections have begun; else the job is refused.",
                 .default_text = "none",
                 .allowed = {"none", "shared"}},
          relational::snapshot_age_option(), relational::invalid_text_option()});
  append_oceanbase(list, of_reader);
  list.push_back({.name = "partitionName",
                  .meaning =
                      "Of DataX's plugin for OceanBase: the one partition that is read. Write a querySql "
                      "with PARTITION (…).",
                  .not_supported = true});
  list.push_back({.name = "savePoint",
                  .meaning = "Of DataX's plugin for OceanBase: the key behind which reading begins. Write a "
                             "`where`; what was interrupted goes on by itself.",
                  .not_supported = true});
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
                 .meaning = "The columns for which `skipNull` counts. Without it all that are mapped."},
          option{.name = "obWriteMode",
                 .meaning = "`writeMode` in the words of DataX's plugin for OceanBase; where it is set, "
                            "`writeMode` does not count.",
                 .allowed = {"insert", "update"}},
          option{.name = "obUpdateColumns",
                 .meaning = "`updateColumn` in the words of DataX's plugin for OceanBase: names with commas "
                            "between them. Without effect where the mode is not `update`."}});
  append_oceanbase(list, of_writer);
  list.push_back({.name = "directPath",
                  .type = option_type::boolean,
                  .meaning =
                      "Of DataX's plugin for OceanBase: rows are loaded past the SQL layer, over a port "
                      "of its own. Leave it out: they are inserted.",
                  .not_supported = true});
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
  SLUICE_CHECK(read_oceanbase(values, of_reader, warn));
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
  SLUICE_TRY(const auto of_oceanbase, values.text("obWriteMode"));
  if (of_oceanbase) {
    const write_mode mode = *of_oceanbase == "insert" ? write_mode::insert : write_mode::update;
    if (warn && values.has("writeMode") && mode != out.mode) {
      warn(fmt::format("{}: does not count beside \"obWriteMode\"; leave it out", values.place("writeMode")));
    }
    out.mode = mode;
    out.write_mode_place = values.place("obWriteMode");
  }
  SLUICE_TRY(out.update_columns, placed_list(values, "updateColumn"));
  if (out.update_columns.empty() && out.mode == write_mode::update) {
    SLUICE_TRY(out.update_columns, update_columns_of_oceanbase(values));
  }
  SLUICE_CHECK(read_oceanbase(values, of_writer, warn));
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
