#include "plugins/sqlite/sqlite_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "jobspec/dialect_rules.h"
#include "jobspec/words.h"
#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/key_ranges.h"
#include "plugins/sqlite/sqlite_reader.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

bool is_plain_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Names that are expressions by themselves.
bool is_constant_name(std::string_view text) {
  constexpr auto names =
      std::to_array<std::string_view>({"null", "true", "false", "current_date", "current_time",
                                       "current_timestamp", "rowid", "_rowid_", "oid"});
  return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return same_word(n, text); });
}

error placed(error e, const std::string& place) {
  e.message = fmt::format("{}: {}", place, e.message);
  return e;
}

}  // namespace

std::string read_plan::condition() const {
  return options.where.empty() ? "1" : fmt::format("({})", options.where);
}

sqlite_source::sqlite_source(source_options options, option_values values, const plugin_context& context)
    : values_(std::move(values)),
      options_(std::move(options)),
      memory_bytes_(context.memory_bytes),
      warn_(context.warn) {
  connection_.file = options_.file;
  connection_.busy_timeout = options_.busy_timeout;
  connection_.session = options_.session;
}

result<source_description> sqlite_source::open(const stop_signal& stop) {
  connection_.stop = stop;
  auto connected = connection_.get(open_mode::read_only);
  if (!connected) {
    return fail(placed(std::move(connected).error(), options_.file_place));
  }
  database& db = **connected;
  db.clear_interrupt();
  auto plan = std::make_shared<read_plan>();
  plan->options = options_;
  notes_.clear();
  SLUICE_CHECK(options_.query.empty() ? describe_table(*plan) : describe_query(*plan));

  source_description out;
  out.columns = plan->columns;
  out.statements = {reading_sql(*plan, {}, false)};
  out.table = facts_;
  out.connections = {.own = 1, .each_pipeline = 1};
  out.repeatable = !plan->key.empty();
  out.resumable = !plan->key.empty();
  SLUICE_TRY(const auto journal, db.ask("PRAGMA journal_mode"));
  const auto as = journal == "wal" ? file_use::kind::shared_database : file_use::kind::locked_database;
  if (auto file = file_use_of(options_.file, as)) {
    out.files_read.push_back(std::move(*file));
  }
  if (journal != "wal") {
    out.notes.emplace_back(
        "The SQLite file is not in WAL mode: while it is read, other programs cannot commit changes to it.");
  }
  out.notes.emplace_back(
      "Each pipeline reads in one read transaction: one split is a consistent snapshot, several are not "
      "taken at the same moment.");
  if (plan->key.empty()) {
    out.notes.emplace_back(
        options_.query.empty()
            ? "What is read has no unique key: it is one split and cannot resume inside it."
            : "A querySql is one split and cannot resume inside it.");
  }
  out.notes.insert(out.notes.end(), notes_.begin(), notes_.end());
  out.plans_at_once = plan->split_key.empty() || plan->split_key == plan->key[0] ||
                      plan->order_by_split_key || plan->split_key_is_text;
  plan_ = std::move(plan);
  return out;
}

result<void> sqlite_source::describe_query(read_plan& plan) {
  auto query = connection_.db->prepare(options_.query);
  if (!query) {
    return fail(placed(std::move(query).error(), options_.query_place));
  }
  auto columns = std::make_shared<schema>();
  for (int i = 0; i < query->columns(); ++i) {
    const std::string declared = query->declared_type(i);
    const column_kind kind = kind_of(declared, false);
    plan.kinds.push_back(kind);
    columns->push_back({query->column_name(i), read_type(kind), true, declared});
  }
  if (columns->empty()) {
    return fail(error_kind::bad_option, "{}: {} returns no columns; expected a SELECT", options_.query_place,
                in_quotes(options_.query));
  }
  plan.columns = std::move(columns);
  return {};
}

result<void> sqlite_source::describe_table(read_plan& plan) {
  const std::string name = table_name_of(options_.table).value_or(options_.table);
  database& db = *connection_.db;
  SLUICE_TRY(const auto table, look_up_table(db, name));
  if (!table) {
    SLUICE_TRY(const std::string missing, describe_missing_table(db, name));
    return fail(error_kind::bad_option, "{}: {}", options_.table_place, missing);
  }
  plan.table = table->name;
  for (const std::string& k : table->key) {
    plan.key.push_back(quote_name(k));
  }
  plan.key_is_rowid = !table->without_rowid;
  auto columns = std::make_shared<schema>();
  std::vector<relational::placed_text> entries;
  for (std::size_t i = 0; i < options_.columns.size(); ++i) {
    entries.push_back({options_.columns[i], values_.place(fmt::format("column[{}]", i)), {}});
  }
  SLUICE_TRY(const auto found, relational::column_entries(entries, table->column_names(), sql_rules));
  std::vector<std::string> read;
  for (std::size_t i = 0; i < found.size(); ++i) {
    SLUICE_CHECK(add_column(*table, found[i], plan, *columns, read));
    if (auto note = relational::entry_note(i, found[i], table->name)) {
      notes_.push_back(std::move(*note));
    }
  }
  if (!plan.key.empty()) {
    SLUICE_TRY(const auto whole, read_table_of(db, *table));
    facts_ = relational::facts_of(whole, read);
  }
  plan.columns = std::move(columns);
  if (!options_.where.empty()) {
    if (auto checked =
            db.prepare(fmt::format("SELECT 1 FROM {} WHERE {}", table->quoted_name(), plan.condition()));
        !checked) {
      return fail(placed(std::move(checked).error(), values_.place("where")));
    }
  }
  return choose_split_key(*table, plan);
}

result<void> sqlite_source::add_column(const table_info& table, const relational::column_entry& entry,
                                       read_plan& plan, schema& columns, std::vector<std::string>& read) {
  if (entry.column) {
    const table_column& found = table.columns[*entry.column];
    plan.expressions.push_back(quote_name(found.name));
    plan.kinds.push_back(found.kind);
    read.push_back(found.name);
    columns.push_back({entry.alias.empty() ? found.name : entry.alias, read_type(found.kind),
                       !found.not_null && !found.is_rowid, found.declared_type});
    return {};
  }
  if (is_plain_name(entry.text) && !is_constant_name(entry.text)) {
    return fail(error_kind::bad_option, "{}: table {} has no column {}{}", entry.place, in_quotes(table.name),
                in_quotes(entry.text), relational::near_column(entry.text, table.column_names()));
  }
  database& db = *connection_.db;
  if (auto checked = db.prepare(fmt::format("SELECT ({}\n) FROM {}", entry.text, table.quoted_name()));
      !checked) {
    return fail(relational::refused_entry(std::move(checked).error(), entry.text, entry.place, sql_rules));
  }
  // An aggregate may stand in a result but not in a condition. It joins rows, so there is no key to resume
  // by.
  if (!db.prepare(fmt::format("SELECT 1 FROM {} WHERE ({}\n) IS NULL", table.quoted_name(), entry.text))) {
    plan.key.clear();
  }
  plan.expressions.push_back(fmt::format("({}\n)", entry.text));
  plan.kinds.emplace_back();  // an expression has no declared type: exact text
  read.emplace_back();
  columns.push_back({entry.alias, read_type({}), true, ""});
  return {};
}

result<void> sqlite_source::choose_split_key(const table_info& table, read_plan& plan) {
  const table_column* pk = options_.split_pk.empty() ? nullptr : table.find(options_.split_pk);
  if (!options_.split_pk.empty() && pk == nullptr) {
    return values_.bad(
        "splitPk",
        fmt::format("table {} has no column {}{}", in_quotes(table.name), in_quotes(options_.split_pk),
                    relational::near_column(options_.split_pk, table.column_names())));
  }
  if (plan.key.empty()) {
    return {};
  }
  if (pk != nullptr) {
    plan.split_key = quote_name(pk->name);
    plan.split_key_nullable = !pk->not_null && !pk->is_rowid;
    plan.split_key_is_text = pk->kind.gives == affinity::text;
    return choose_order(plan);
  }
  const table_column* first = table.find(table.key[0]);
  if (plan.key.size() == 1 &&
      (first == nullptr || first->is_rowid || first->kind.gives == affinity::integer)) {
    plan.split_key = plan.key[0];
  }
  return {};
}

result<void> sqlite_source::choose_order(read_plan& plan) {
  if (plan.split_key == plan.key[0]) {
    return {};
  }
  // delivery.md: reading in key order must not change the access path. An index that begins with splitPk
  // gives the order (splitPk, key) as it is; without one SQLite would sort each range.
  plan.order_by_split_key = true;
  const scalar_list range = {{"from", {std::int64_t{0}}}, {"to", {std::int64_t{1}}}};
  SLUICE_TRY(statement explain,
             connection_.db->prepare("EXPLAIN QUERY PLAN " + reading_sql(plan, range, false)));
  step_answer answer = explain.step();
  for (; answer == step_answer::row; answer = explain.step()) {
    if (explain.text_at(3).find("TEMP B-TREE") != std::string::npos) {
      plan.order_by_split_key = false;
    }
  }
  return answer == step_answer::failed ? fail(connection_.db->failure("plan the reading")) : result<void>();
}

result<std::vector<split>> sqlite_source::plan_splits(std::uint32_t advice, const stop_signal& stop) {
  connection_.stop = stop;
  connection_.db->use_stop(stop);
  const read_plan& plan = *plan_;
  const std::string name = plan.table.empty() ? "querySql" : plan.table;
  std::vector<split> whole = {{{}, name, std::nullopt, std::nullopt}};
  if (advice <= 1 || plan.split_key.empty()) {
    return whole;
  }
  const auto one_split = [&](std::string_view held) -> result<std::vector<split>> {
    const std::string what = fmt::format(
        "column {} holds {} values, expected integers only; name another column, or leave splitPk out",
        plan.split_key, held);
    if (rules_of(values_.job_dialect()).unfit_split_key_fails) {
      return values_.bad("splitPk", what);
    }
    if (warn_) {
      warn_(fmt::format("{}: {}; the table is read as one split", values_.place("splitPk"), what));
    }
    return whole;
  };
  if (plan.split_key_is_text) {
    return one_split(to_string(storage::text));
  }
  const std::string rows = fmt::format("FROM {} WHERE {}", quote_name(plan.table), plan.condition());
  SLUICE_TRY(statement bounds,
             connection_.db->prepare(
                 fmt::format("SELECT (SELECT min({0}) {1}), (SELECT max({0}) {1})", plan.split_key, rows)));
  if (bounds.step() != step_answer::row) {
    return fail(connection_.db->failure("find the bounds of the split key"));
  }
  if (bounds.storage_at(0) == storage::null) {
    return whole;
  }
  if (bounds.storage_at(0) != storage::integer || bounds.storage_at(1) != storage::integer) {
    if (options_.split_pk.empty()) {
      return whole;
    }
    return one_split(to_string(bounds.storage_at(bounds.storage_at(0) == storage::integer ? 1 : 0)));
  }
  return relational::splits_between(
      relational::one_column(relational::bounds_between(
          relational::key_kind::whole_number, bounds.bytes_at(0), bounds.bytes_at(1),
          relational::ranges_wanted(advice, 1, options_.split_factor))),
      plan.split_key_nullable, {},
      fmt::format("{} {}", name, relational::bare_name(plan.split_key, sql_rules)));
}

std::string sqlite_source::statement_of(const scalar_list& split_description, bool resumed) const {
  return plan_ == nullptr ? std::string() : reading_sql(*plan_, split_description, resumed);
}

result<std::unique_ptr<reader>> sqlite_source::make_reader() {
  return std::make_unique<sqlite_reader>(plan_, memory_bytes_);
}

void sqlite_source::interrupt() {
  connection_.interrupt();
}

}  // namespace sluice::sqlite
