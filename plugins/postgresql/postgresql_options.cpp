#include "plugins/postgresql/postgresql_options.h"

#include <fmt/format.h>

#include "jobspec/option_mistakes.h"
#include "plugins/common/relational/snapshot_age.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_url.h"
#include "transport/base/text.h"

namespace sluice::postgresql {

const relational::sql_rules& sql_rules() {
  static const relational::sql_rules rules = {
      .name_quote = '"', .dollar_texts = true, .nested_comments = true};
  return rules;
}

const relational::options_dialect& options_dialect() {
  static const relational::options_dialect dialect = {
      .product = "PostgreSQL",
      .url = &url_dialect(),
      .rules = sql_rules(),
      .sample_url = "jdbc:postgresql://<host>:5432/<database>",
      .sample_table = "`t`, `schema.t`",
      .write_words = {{"insert", relational::write_mode::insert},
                      {"insert into", relational::write_mode::insert},
                      {"copy", relational::write_mode::copy},
                      {"update", relational::write_mode::update},
                      {"upsert", relational::write_mode::update},
                      {"replace", relational::write_mode::replace},
                      {"replace into", relational::write_mode::replace},
                      {"ignore", relational::write_mode::ignore},
                      {"insert ignore", relational::write_mode::ignore}},
      .write_meaning =
          "`insert` and `copy` are the same here: rows are sent by COPY, and a row that the table refuses is "
          "a dirty "
          "record. `update`, or `upsert`: a row whose key is there gets the record's values (ON CONFLICT DO "
          "UPDATE). "
          "`replace`: it "
          "is deleted and inserted anew, columns that are not mapped with their defaults. `ignore`: the "
          "record is left "
          "out and counted as ignored. `update` and `replace` go by the primary key, or by the first unique "
          "key whose columns are all mapped, `ignore` by all keys; `uniqueIndexColumns` names one.",
      .split_meaning =
          "by ranges of the primary key or another unique NOT NULL one, whose bounds come of a sample of the "
          "rows; where there is none and the job itself says `auto`, as `ctid`; small tables, views, and "
          "what is read with an aggregate, a "
          "window, DISTINCT, GROUP BY, LIMIT, ORDER BY or a VOLATILE function (but for `random`, "
          "`clock_timestamp` and those that make a uuid) are one split.",
      .blocks_meaning =
          "by the blocks in which the rows lie, also where there is a key (PostgreSQL 14 and later, ordinary "
          "tables and partitions, `snapshot` `shared`). Such ranges end with the run's snapshot: a run that "
          "is interrupted after its first split cannot be gone on with and must be begun anew.",
      .fetch_rows = 512,
      .fetch_rows_datax = 1000,
      .batch_rows = 1024,
      .batch_rows_datax = 2048,
  };
  return dialect;
}

std::vector<option> source_option_list() {
  std::vector<option> list = relational::reader_option_list(options_dialect());
  list.push_back(
      {.name = "snapshot",
       .meaning = "`shared`: all connections of a database read under one exported snapshot, which is held "
                  "until the end of the run. `none`: each split has its own, so that the server can clean "
                  "up behind long runs.",
       .default_text = "shared",
       .allowed = {"shared", "none"}});
  list.push_back(relational::snapshot_age_option());
  list.push_back(relational::invalid_text_option());
  return list;
}

std::vector<option> target_option_list() {
  std::vector<option> list = relational::writer_option_list(options_dialect());
  list.push_back(
      {.name = "uniqueIndexColumns",
       .type = option_type::text_list,
       .meaning = "With `writeMode` `update`, `replace` and `ignore`: the columns of the primary key or the "
                  "unique index by which rows are found, in any order (ON CONFLICT). A record that meets "
                  "another of the table's keys is then a dirty one. Partial and deferrable indexes, and such "
                  "over expressions, cannot be named."});
  list.push_back(
      {.name = "resetSequences",
       .type = option_type::boolean,
       .meaning =
           "After the data, before `postSql`, sequences of identity and serial columns, and such as only a "
           "default calls (`nextval`), move on to the greatest value of their column where it is written, "
           "never "
           "back. Without it a warning names them.",
       .default_text = "false"});
  list.push_back(
      {.name = "schema",
       .meaning = "Of DataX's `adbpgwriter`: the schema of `table`, where that does not name one."});
  list.push_back(
      {.name = "conflictMode",
       .meaning =
           "Of DataWorks' `adbpg`, with `writeMode` `insert` and `copy`: what becomes of a record whose "
           "key is there. `report`: it is a dirty record. `upsert`: as `writeMode` `update`.",
       .default_text = "report",
       .allowed = {"report", "upsert"}});
  list.push_back({.name = "commitSize",
                  .meaning = "Of DataX's `adbpgwriter`; accepted and ignored: `batchSize` and "
                             "`batchByteSize` are what a statement has."});
  list.push_back(relational::nul_character_option("PostgreSQL"));
  list.push_back(
      {.name = "pgType",
       .type = option_type::object,
       .meaning = "Accepted and ignored: the types of the table's columns are read from the server."});
  return list;
}

result<source_options> read_source_options(const option_values& values, const relational::warning_sink& warn,
                                           bool strict) {
  option_mistakes wrong;
  source_options out;
  relational::reader_options& shared = out;
  wrong.take(relational::read_reader_options(values, options_dialect(), warn, strict), shared);
  std::optional<std::string> snapshot;
  wrong.take(values.text("snapshot"), snapshot);
  out.snapshot = snapshot == "none" ? snapshot_mode::none : snapshot_mode::shared;
  wrong.take(relational::read_text_rule(values, "invalidText"), out.invalid_text);
  if (out.split == relational::split_mode::blocks && out.snapshot == snapshot_mode::none) {
    wrong.check<void>(
        values.bad("splitMode",
                   "found \"ctid\", which holds under one snapshot only; leave \"snapshot\" out, "
                   "or take \"auto\""));
  }
  wrong.take(relational::snapshot_age_of(values), out.snapshot_age_max);
  SLUICE_CHECK(wrong.all());
  return out;
}

namespace {

/// `schema` goes in front of the table's name.
result<void> read_schema(const option_values& values, target_options& out) {
  SLUICE_TRY(const auto schema, values.text("schema"));
  relational::placed_text& table = out.parts.front().tables.front();
  const auto parts = relational::name_parts(table.text, sql_rules());
  if (!schema || !parts) {
    return {};
  }
  if (parts->size() > 1) {
    return values.bad("schema", fmt::format("found {}, and \"table\" names one itself; leave one of them out",
                                            in_quotes(*schema)));
  }
  table.text = fmt::format("{}.{}", quote_name(*schema), quote_name(parts->front().name));
  return {};
}

result<void> read_conflict_mode(const option_values& values, target_options& out) {
  SLUICE_TRY(const auto mode, values.text("conflictMode"));
  if (!values.has("conflictMode")) {
    return {};
  }
  if (finds_by_key(out.mode)) {
    return values.bad(
        "conflictMode",
        fmt::format("found with \"writeMode\" \"{}\", which says itself what becomes of a record "
                    "whose key is there; leave one of them out",
                    relational::to_string(out.mode)));
  }
  out.mode = mode == "upsert" ? relational::write_mode::update : out.mode;
  return {};
}

}  // namespace

result<target_options> read_target_options(const option_values& values,
                                           const relational::warning_sink& warn) {
  option_mistakes wrong;
  target_options out;
  relational::writer_options& shared = out;
  const bool read = wrong.take(relational::read_writer_options(values, options_dialect(), warn), shared);
  // job-formats 8.3: DataX's own writer refuses it, so that no job of it can mean anything by it.
  if (values.job_dialect() == dialect::datax && read && finds_by_key(out.mode)) {
    return values.bad("writeMode",
                      "no writer for PostgreSQL has a writeMode in DataX: they insert; leave it out");
  }
  if (read) {
    wrong.check(read_schema(values, out));
    wrong.check(read_conflict_mode(values, out));
  }
  std::optional<bool> resets;
  wrong.take(values.boolean("resetSequences"), resets);
  out.reset_sequences = resets.value_or(false);
  wrong.take(relational::read_text_rule(values, "nulCharacter"), out.nul_character);
  wrong.take(relational::placed_texts(values, "uniqueIndexColumns", true), out.key_columns);
  if (!out.key_columns.empty() && !finds_by_key(out.mode)) {
    wrong.check<void>(values.bad(
        "uniqueIndexColumns",
        fmt::format("found with \"writeMode\" \"{}\", which finds no rows by a key; leave it out, or set "
                    "\"update\", \"replace\" or \"ignore\"",
                    relational::to_string(out.mode))));
  }
  SLUICE_CHECK(wrong.all());
  return out;
}

bool finds_by_key(relational::write_mode mode) {
  return mode != relational::write_mode::insert && mode != relational::write_mode::copy;
}

}  // namespace sluice::postgresql
