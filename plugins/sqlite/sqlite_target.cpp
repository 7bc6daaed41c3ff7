#include "plugins/sqlite/sqlite_target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "jobspec/words.h"
#include "plugins/api/step_stage.h"
#include "plugins/common/relational/lone_step.h"
#include "plugins/common/relational/target_mapping.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

/// Statements that SQLite does not run inside a transaction, or that do nothing there.
constexpr auto outside_words = std::to_array<std::string_view>({"VACUUM", "PRAGMA", "ATTACH", "DETACH"});
/// Behind these other tables and columns may be there than now.
constexpr auto changing_words =
    std::to_array<std::string_view>({"CREATE", "ALTER", "DROP", "ATTACH", "DETACH"});

bool runs_outside(std::string_view sql) {
  return std::any_of(outside_words.begin(), outside_words.end(),
                     [&](std::string_view w) { return relational::begins_with_word(sql, w, sql_rules); });
}

/// After a crash that left open whether it ran: not where something else stands behind the first statement,
/// and not VACUUM INTO, which makes a file.
bool may_repeat(std::string_view sql) {
  const auto statements = relational::statements_of(sql, sql_rules);
  return std::all_of(statements.begin(), statements.end(), [](const auto& tokens) {
    const auto is_into = [](const relational::sql_token& t) { return relational::is_word(t, "INTO"); };
    return std::any_of(outside_words.begin(), outside_words.end(),
                       [&](std::string_view w) { return relational::is_word(tokens.front(), w); }) &&
           std::none_of(tokens.begin(), tokens.end(), is_into);
  });
}

/// What SQLite says of a text that is no SQL, whatever tables there are.
bool is_syntax_error(std::string_view message) {
  return message.find("syntax error") != std::string_view::npos || message.starts_with("incomplete input") ||
         message.starts_with("unrecognized token");
}

/// The first word of the first statement; empty where there is none.
std::string first_word(std::string_view sql) {
  const auto statements = relational::statements_of(sql, sql_rules);
  return statements.empty() ? std::string() : std::string(statements.front().front().text);
}

}  // namespace

sqlite_target::sqlite_target(target_options options, option_values values, relational::mark_names names,
                             const plugin_context& context)
    : options_(std::move(options)),
      values_(std::move(values)),
      memory_bytes_(context.memory_bytes /
                    2),  // the other half is for what a statement needs besides its pages
      table_(table_name_of(options_.table).value_or(options_.table)),
      steps_(options_.pre_sql, options_.post_sql, {{"main", false}, {table_, true}}, sql_rules, may_repeat),
      wish_(context.marks),
      marks_(progress_dialect_of(options_.file, names)),
      home_(connection_),
      progress_(home_, marks_, *claim_),
      warn_(context.warn) {
  connection_.file = options_.file;
  connection_.busy_timeout = options_.busy_timeout;
  connection_.session = options_.session;
  options_.create_table = options_.create_table || context.makes_table;
  if (options_.create_table) {
    steps_.create_table(values_.place("createTable"));
  }
}

result<bool> sqlite_target::find_file() const {
  std::error_code ignored;
  const std::filesystem::path file(options_.file);
  if (std::filesystem::exists(file, ignored)) {
    return true;
  }
  if (options_.access == relational::file_access::existing) {
    return fail(
        error_kind::bad_option,
        "{}: there is no file {}, and with mode=rw it is not made; check the path, or leave mode=rw out",
        options_.file_place, in_quotes(options_.file));
  }
  if (!options_.create_table && !steps_.table_comes_later()) {
    return fail(
        error_kind::bad_option,
        "{}: there is no file {}; check the path, or set \"createTable\": true to have file and table made",
        options_.file_place, in_quotes(options_.file));
  }
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail(error_kind::bad_option,
                "{}: there is no folder {} to make the file in; make it, or check the path",
                options_.file_place, in_quotes(folder.string()));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(error_kind::denied, "{}: the folder {} is not writable for this process; give it the right",
                options_.file_place, in_quotes(folder.string()));
  }
  return false;
}

result<target_description> sqlite_target::open(const schema& source_columns, const stop_signal& stop) {
  target_description out;
  out.name =
      fmt::format("sqlite {} table {}", std::filesystem::path(options_.file).filename().string(), table_);
  relational::promise_by_marks(marks_, wish_, out);
  out.whole_split_max = {.bytes = relational::whole_split_bytes_max};
  out.writers_max = 1;
  out.connections = {.own = 1, .each_pipeline = 1};
  plan_.reset();
  table_there_ = false;
  has_key_.reset();
  connection_.stop = stop;
  SLUICE_TRY(const bool there, find_file());
  if (there) {
    auto connected = connection_.get(open_mode::read_write);
    if (!connected) {
      error e = std::move(connected).error();
      e.message = fmt::format("{}: {}", options_.file_place, e.message);
      return fail(std::move(e));
    }
    database* db = *connected;
    db->clear_interrupt();
    SLUICE_TRY(const auto journal, db->ask("PRAGMA journal_mode"));
    const auto as = journal == "wal" ? file_use::kind::shared_database : file_use::kind::locked_database;
    if (auto file = file_use_of(options_.file, as, "written to")) {
      out.files_changed.push_back(std::move(*file));
    }
    SLUICE_CHECK(progress_.announce(out.changes));
  } else {
    out.changes.push_back(fmt::format("The file {} will be made{}.", in_quotes(options_.file),
                                      marks_.kept
                                          ? fmt::format(", with the tables {} and {} for claims and marks",
                                                        marks_.run_table, marks_.progress_table)
                                          : std::string()));
  }
  // SQLite takes names in capitals and small letters for the same.
  out.output = lower(table_);
  out.empties = steps_.empties();
  std::vector<std::string> statements = steps_.announcements();
  if (!steps_.creates_first()) {
    out.changes.insert(out.changes.end(), statements.begin(), statements.end());
    statements.clear();
  }
  SLUICE_CHECK(describe_table(source_columns, out));
  out.changes.insert(out.changes.end(), statements.begin(), statements.end());
  out.run_again = steps_.run_again_text(options_.mode, has_key_);
  out.same_again = relational::is_same_again(options_.mode, has_key_);
  return out;
}

result<void> sqlite_target::describe_table(const schema& source_columns, target_description& out) {
  std::optional<table_info> table;
  if (connection_.db) {
    SLUICE_TRY(table, look_up_table(*connection_.db, table_));
  }
  if (!table && options_.create_table) {
    return plan_created_table(source_columns, out);
  }
  if (table) {
    if (table->type != table_type::table || table->name.starts_with("sqlite_") ||
        table->name.starts_with("sluice_")) {
      return fail(error_kind::not_supported, "{}: {} is {}; name a table of its own", options_.table_place,
                  in_quotes(table->name),
                  table->type == table_type::view ? "a view, which holds no rows"
                  : table->type == table_type::virtual_table
                      ? "a virtual table, whose module may keep rows outside of the transaction"
                      : "a table of SQLite's or Sluice's own");
    }
    table_there_ = true;
    if (options_.create_table) {
      // Made again where preSql takes it away.
      create_sql_ = "SELECT 1";
      if (const auto made = table_to_make(source_columns)) {
        describe_created(*made, out);
        if (steps_.creates_last()) {
          relational::announce_created(*made, create_sql_, true, out);
        }
      }
    }
    const relational::target_table asked = mapping_of(*table);
    auto come = relational::without_computed(asked, job_columns(), sql_rules, source_columns);
    auto mapped = mapped_columns(*table, asked, come.columns);
    if (mapped) {
      out.left_out = std::move(come.left_out);
      for (const table_column& c : table->columns) {
        if (c.generated) {
          out.notes.push_back(
              fmt::format("Column {} is computed by the table and left out.", in_quotes(c.name)));
        }
      }
      if (options_.mode == write_mode::replace) {
        SLUICE_TRY(const auto keys, referring_keys(*connection_.db, table->name));
        warn_(values_.place("writeMode"), relational::referring_warnings(keys));
      }
      return use_columns(table->name, *mapped, come.columns, out);
    }
    if (!steps_.table_comes_later()) {
      return fail(std::move(mapped).error());
    }
  } else if (!steps_.table_comes_later()) {
    SLUICE_TRY(const std::string missing, describe_missing_table(*connection_.db, table_));
    return fail(error_kind::bad_option, "{}: {}", options_.table_place, missing);
  }
  out.compared = false;
  out.notes.push_back(fmt::format("The table {} is made by preSql, not compared.", in_quotes(table_)));
  return {};
}

relational::target_table sqlite_target::mapping_of(const table_info& table) {
  relational::target_table asked{table.name, {}, {}};
  for (const table_column& c : table.columns) {
    // SQLite makes up a rowid that is left out.
    asked.columns.push_back({c.name, c.not_null && !c.is_rowid, c.has_default, c.generated});
  }
  for (const unique_key& key : table.unique_keys) {
    // A column that is not mapped takes its default; without one it is NULL, which equals nothing. An
    // expression has no name.
    auto& needed = asked.keys.emplace_back();
    for (const std::string& name : key.columns) {
      const table_column* column = table.find(name);
      if (column != nullptr && !column->has_default && !column->generated) {
        needed.push_back(column->name);
      }
    }
  }
  return asked;
}

result<std::vector<table_column>> sqlite_target::mapped_columns(const table_info& table,
                                                                const relational::target_table& asked,
                                                                const schema& source_columns) {
  SLUICE_TRY(const auto indices,
             relational::mapped_columns(asked, job_columns(), sql_rules, source_columns, values_));
  std::vector<table_column> mapped;
  for (const std::size_t index : indices) {
    mapped.push_back(table.columns[index]);
  }
  if (options_.mode != write_mode::insert) {
    SLUICE_CHECK(relational::check_key(asked, indices, to_string(options_.mode), values_));
  }
  has_key_ = relational::meets_key(asked, indices);
  return mapped;
}

relational::end_options sqlite_target::job_columns() const {
  relational::end_options out;
  out.all_columns = options_.all_columns;
  out.by_name = options_.by_name;
  for (std::size_t i = 0; i < options_.columns.size(); ++i) {
    out.columns.push_back({options_.columns[i], values_.place(fmt::format("column[{}]", i)), {}});
  }
  return out;
}

result<relational::created_table> sqlite_target::table_to_make(const schema& source_columns) const {
  std::vector<relational::made_type> types;
  for (std::size_t i = 0; i < source_columns.size(); ++i) {
    const auto from = relational::type_at(source_columns, facts_.get(), i);
    const bool same = from.product == "sqlite" && !from.own_type.empty();
    types.push_back(same ? relational::made_type{std::string(from.own_type)}
                         : relational::without_meaning(from, std::string(created_type(from.column.type))));
  }
  SLUICE_TRY(auto made, relational::created_table_of(job_columns(), sql_rules, source_columns, facts_.get(),
                                                     values_, types));
  made.leave_comments_out(0, 0);
  return made;
}

void sqlite_target::describe_created(const relational::created_table& table, target_description& out) {
  create_sql_ = relational::create_table_sql(table, quote_name(table_), quote_name);
  out.ddl = {create_sql_};
  out.not_made = table.not_made;
}

result<void> sqlite_target::plan_created_table(const schema& source_columns, target_description& out) {
  SLUICE_TRY(const auto table, table_to_make(source_columns));
  if (options_.mode != write_mode::insert && table.key.empty() && !steps_.table_comes_later()) {
    return values_.bad("writeMode", relational::keyless_text(to_string(options_.mode)));
  }
  std::vector<table_column> made;
  for (const relational::created_table::column& column : table.columns) {
    table_column c;
    c.name = column.name;
    c.declared_type = column.type;
    c.kind = kind_of(c.declared_type, false);
    c.not_null = column.not_null;
    made.push_back(std::move(c));
  }
  describe_created(table, out);
  relational::announce_created(table, create_sql_, false, out);
  if (!steps_.table_comes_later()) {
    has_key_ = !table.key.empty();
  }
  return use_columns(table_, made, source_columns, out);
}

result<void> sqlite_target::use_columns(const std::string& table, const std::vector<table_column>& mapped,
                                        const schema& source_columns, target_description& out) {
  auto columns = std::make_shared<schema>();
  auto plan = std::make_shared<writer_plan>();
  plan->options = options_;
  plan->table = table;
  plan->memory_bytes = memory_bytes_;
  plan->marks = marks_;
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const table_column& c = mapped[i];
    columns->push_back({c.name, write_type(c.kind, source_columns[i].type), !c.not_null && !c.is_rowid,
                        c.declared_type, holds_text(c.kind)});
    plan->columns.push_back(c.name);
    plan->kinds.push_back({c.kind, c.not_null, c.is_rowid});
  }
  SLUICE_CHECK(relational::check_bit_strings(source_columns, *columns, values_.place("table")));
  out.columns = std::move(columns);
  plan_ = std::move(plan);
  return {};
}

std::vector<target_step> sqlite_target::steps_before() const {
  return steps_.shown_before(create_sql_, table_there_);
}

result<void> sqlite_target::check_steps(const stop_signal& stop) {
  std::optional<database> nothing;
  if (!connection_.db) {
    // Where there is no file yet, an empty database tells as much.
    SLUICE_TRY(database made, database::open(":memory:", open_mode::create, {}, stop));
    nothing.emplace(std::move(made));
  }
  database& db = nothing ? *nothing : *connection_.db;
  db.use_stop(stop);
  bool statements_change = false;
  for (const auto* steps : {&steps_.pre_sql(), &steps_.post_sql()}) {
    for (const relational::placed_text& step : *steps) {
      SLUICE_CHECK(check_step(db, step, options_.create_table, table_, statements_change));
    }
  }
  return {};
}

result<void> sqlite_target::check_step(database& db, const relational::placed_text& step, bool makes_table,
                                       const std::string& table, bool& statements_change) const {
  std::string_view rest = step.text;
  // Some PRAGMAs act when they are compiled.
  for (std::string word = first_word(rest); !word.empty() && !same_word(word, "PRAGMA");
       word = first_word(rest)) {
    const auto behind = db.compile_first(rest);
    if (behind) {
      statements_change =
          statements_change || std::any_of(changing_words.begin(), changing_words.end(),
                                           [&](std::string_view w) { return same_word(w, word); });
      rest = *behind;
      continue;
    }
    const std::string why = db.failure_text();
    const auto lacks = [&](const std::string& name) {
      return same_word(why, "no such table: " + name) || same_word(why, "no such table: main." + name);
    };
    // By createTable, or with the claim.
    const bool made_before =
        (makes_table && lacks(table)) || lacks(marks_.run_table) || lacks(marks_.progress_table);
    const bool sure = is_syntax_error(why) ||
                      (db.failure_meaning().name == "SQLITE_ERROR" && !statements_change && !made_before);
    if (sure) {
      return fail(error_kind::bad_option, "{}: {}: {}: {}; mend the statement", step.place,
                  in_quotes(db.path()), in_quotes(step.text), why);
    }
    statements_change = true;  // what stands behind cannot be told either
    return {};
  }
  return {};
}

std::vector<target_step> sqlite_target::steps_after() const {
  return steps_.shown_after();
}

result<void> sqlite_target::run_step(const relational::target_steps::step& step, const step_stages& stages,
                                     const stop_signal& stop) {
  connection_.stop = stop;
  SLUICE_TRY(database * db, connection_.get(open_mode::create));
  sqlite_session session(*db);
  const auto run = [&]() -> result<void> {
    auto done = db->run(step.sql);
    if (!done) {
      error e = std::move(done).error();
      // A statement of the job's that a constraint refuses is no bad record.
      e.kind = e.kind == error_kind::bad_row ? error_kind::bad_option : e.kind;
      e.message = fmt::format("{}: {}", step.place, e.message);
      return fail(std::move(e));
    }
    return {};
  };
  if (runs_outside(step.sql)) {
    return relational::run_lone_step(
        session, marks_, *claim_, {step.sql, step.place, may_repeat(step.sql)}, stages, ran_,
        [&]() -> std::optional<relational::step_failure> {
          auto done = run();
          return done ? std::nullopt
                      : std::optional(relational::step_failure{std::move(done).error(),
                                                               relational::step_outcome::committed});
        });
  }
  return relational::in_transaction(session, [&]() -> result<void> {
    SLUICE_CHECK(run());
    if (!db->in_transaction()) {
      return fail(error_kind::bad_option,
                  "{}: {} ended the transaction it ran in; leave COMMIT and ROLLBACK out", step.place,
                  in_quotes(step.sql));
    }
    return relational::set_stage_of(session, marks_, *claim_, stages.behind);
  });
}

result<void> sqlite_target::run_step_before(std::size_t index, const stop_signal& stop) {
  const relational::target_steps::step s = steps_.before(create_sql_)[index];
  SLUICE_CHECK(run_step(s, stages_before_data(index, s.sql), stop));
  steps_.done_before(index);
  return {};
}

result<void> sqlite_target::run_step_after(std::size_t index, const stop_signal& stop) {
  const relational::placed_text& step = steps_.post_sql()[index];
  return run_step({step.text, step.place, false}, stages_behind_data(steps_after(), index), stop);
}

result<std::unique_ptr<writer>> sqlite_target::make_writer(schema_ptr columns) {
  if (plan_ == nullptr || columns == nullptr || columns->size() != plan_->columns.size()) {
    return fail(
        error_kind::bad_option,
        "{}: table {} does not have the columns that the job maps; a statement of preSql was to make it",
        options_.table_place, in_quotes(table_));
  }
  return std::make_unique<sqlite_writer>(plan_, claim_, std::move(columns));
}

void sqlite_target::interrupt() {
  connection_.interrupt();
}

}  // namespace sluice::sqlite
