#include "plugins/mysql/mysql_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/rows_there.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/mysql/mysql_collations.h"
#include "plugins/mysql/mysql_grants.h"
#include "plugins/mysql/mysql_products.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "plugins/mysql/mysql_sessions.h"
#include "plugins/mysql/mysql_source.h"
#include "plugins/mysql/mysql_table_state.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

relational::target_table mapping_of(const table_info& table) {
  relational::target_table out{table.name, {}, {}};
  for (const table_column& c : table.columns) {
    out.columns.push_back({c.name, c.not_null, c.has_default || c.auto_increment, c.generated, c.invisible});
  }
  for (const table_key& key : table.keys) {
    if (key.unique) {
      out.keys.push_back(key.columns);
    }
  }
  return out;
}

table_name table_of(const target_options& options) {
  const std::string& text = options.table().text;
  table_name name = parse_table_name(text).value_or(table_name{"", text});
  if (name.database.empty()) {
    name.database = options.connect().database;
  }
  return name;
}

std::vector<placed_text> with_names(std::vector<placed_text> steps, const std::string& table) {
  for (placed_text& sql : steps) {
    sql.text = relational::with_table(sql.text, table);
  }
  return steps;
}

/// Whether NULL for the column of that name is left out.
bool skips_null(const target_options& options, std::string_view column,
                const std::vector<std::string>& names) {
  const auto is_it = [&](const placed_text& entry) {
    const auto index = relational::named_in(entry.text, names, sql_rules());
    return index && names[*index] == column;
  };
  return options.skips_nulls &&
         (options.skip_columns.empty() ||
          std::any_of(options.skip_columns.begin(), options.skip_columns.end(), is_it));
}

/// As `writer_plan::only_key`.
std::vector<std::size_t> only_key_of(const table_info& table, const writer_plan& plan) {
  const auto is_unique = [](const table_key& key) { return key.unique; };
  const auto only = std::find_if(table.keys.begin(), table.keys.end(), is_unique);
  if (std::count_if(table.keys.begin(), table.keys.end(), is_unique) != 1 || !only->plain) {
    return {};
  }
  std::vector<std::size_t> columns;
  for (const std::string& name : only->columns) {
    const auto at = std::find_if(plan.columns.begin(), plan.columns.end(),
                                 [&](const target_column& c) { return c.name == name; });
    if (at == plan.columns.end()) {
      return {};
    }
    columns.push_back(static_cast<std::size_t>(at - plan.columns.begin()));
  }
  return columns;
}

/// What the server may lose of what it has confirmed, for the promise: ` (unless …)`; empty where nothing.
result<std::string> lost_in_a_crash(connection& c, const stop_signal& stop) {
  SLUICE_TRY(
      const auto rows,
      c.ask("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', "
            "'log_bin')",
            stop));
  std::string flush = "1";
  std::string sync = "1";
  bool logs = false;
  for (const relational::sql_row& row : rows) {
    const std::string name = row.at(0).value_or("");
    const std::string value = row.at(1).value_or("");
    if (name == "log_bin") {
      logs = value == "ON";
    } else {
      (name == "sync_binlog" ? sync : flush) = value;
    }
  }
  if (flush != "1") {
    return fmt::format(
        " (unless {} crashes: innodb_flush_log_at_trx_commit is {}, so that it may lose the commits of "
        "its last second)",
        flush == "0" ? "the server" : "its machine", flush);
  }
  // What the binary log does not have when the server comes up, InnoDB takes back.
  return logs && sync != "1" ? fmt::format(
                                   " (unless its machine crashes: sync_binlog is {}, so that it may lose its "
                                   "last commits)",
                                   sync)
                             : std::string();
}

}  // namespace

mysql_target::mysql_target(target_options options, option_values values, relational::mark_names names,
                           const plugin_context& context)
    : options_(std::move(options)),
      values_(std::move(values)),
      connect_plan_(plan_connection(options_.connect(), session_role::manage, options_.session, context)),
      table_(table_of(options_)),
      quoted_table_(table_.database.empty() ? quote_name(table_.table)
                                            : quote_name(table_.database) + "." + quote_name(table_.table)),
      steps_(with_names(options_.pre_sql, quoted_table_), with_names(options_.post_sql, quoted_table_),
             relational::name_parts(options_.table().text, sql_rules())
                 .value_or(std::vector<relational::name_part>()),
             sql_rules(), may_run_twice),
      names_(std::move(names)),
      wish_(context.marks),
      progress_(*this, marks_, *claim_),
      warn_(context.warn) {
  options_.create_table = options_.create_table || context.makes_table;
  if (options_.create_table) {
    steps_.create_table(values_.place("createTable"));
  }
  marks_.placeholders = relational::progress_dialect::placeholder::question_mark;
  marks_.quote = '`';
  names_.schema = names_.schema.empty() ? table_.database : names_.schema;
  const std::string schema = names_.schema.empty() ? "" : quote_name(names_.schema) + ".";
  marks_.kept = names_.kept;
  marks_.run_table = schema + quote_name(names_.run);
  marks_.progress_table = schema + quote_name(names_.progress);
  marks_.tables_name =
      fmt::format("{} and {} in database {}", names_.run, names_.progress, in_quotes(names_.schema));
  marks_.place = in_quotes(relational::to_text(options_.connect()));
  marks_.now_seconds = "UNIX_TIMESTAMP()";
  marks_.key_type = "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin";
  marks_.text_type = "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
  marks_.integer_type = "BIGINT";
  marks_.table_end = " ENGINE=InnoDB";
  marks_.ddl_in_transactions = false;
  marks_.guard_row = true;
  marks_.renews_in_data = false;
}

result<connection*> mysql_target::connect() {
  if (connection_ == nullptr || !connection_->alive()) {
    SLUICE_TRY(auto made, connection::open(connect_plan_, stop_));
    const std::lock_guard lock(interrupting_);
    connection_ = std::move(made);
    session_ = std::make_unique<mysql_session>(*connection_);
    session_->use_comment(statement_comment(connect_plan_.name, word_of(session_role::manage)));
  }
  session_->use_stop(stop_);
  return connection_.get();
}

result<relational::sql_session*> mysql_target::session(bool /*makes*/) {
  SLUICE_CHECK(connect());
  return session_.get();
}

result<std::vector<std::string>> mysql_target::columns_of(const std::string& table) {
  SLUICE_TRY(connection * c, connect());
  const std::string& name = table == marks_.run_table ? names_.run : names_.progress;
  SLUICE_TRY(
      const auto rows,
      c->ask(fmt::format("SELECT LOWER(COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} "
                         "AND TABLE_NAME = {}",
                         names_.schema.empty() ? "DATABASE()" : c->literal(names_.schema), c->literal(name)),
             stop_));
  std::vector<std::string> out;
  for (const relational::sql_row& row : rows) {
    out.push_back(row[0].value_or(""));
  }
  return out;
}

result<std::string> mysql_target::session_name() {
  SLUICE_TRY(connection * c, connect());
  return c->session_name(stop_);
}

result<std::optional<bool>> mysql_target::session_lives(const std::string& name) {
  SLUICE_TRY(connection * c, connect());
  return mysql::session_lives(*c, name, stop_);
}

result<bool> mysql_target::session_works(const std::string& name) {
  SLUICE_TRY(connection * c, connect());
  return mysql::session_works(*c, name, stop_);
}

result<void> mysql_target::end_session(const std::string& name) {
  SLUICE_TRY(connection * c, connect());
  return mysql::end_session(*c, name, stop_);
}

result<void> mysql_target::connect_early(const stop_signal& stop) {
  stop_ = stop;
  SLUICE_CHECK(connect());
  return {};
}

result<target_description> mysql_target::open(const schema& source_columns, const stop_signal& stop) {
  stop_ = stop;
  target_description out;
  out.name = fmt::format("mysql {} table {}", relational::to_text(options_.connect()), table_.table);
  relational::promise_by_marks(marks_, wish_, out);
  out.whole_split_max = whole_split_max;
  out.connections = {.own = 1, .each_pipeline = 1};
  plan_.reset();
  table_there_ = false;
  has_key_.reset();
  SLUICE_CHECK(connect());
  if (table_.database.empty()) {
    return fail(error_kind::bad_option,
                "{}: no database is named; put it behind the host in \"jdbcUrl\", or before the table",
                options_.table().place);
  }
  if (std::string note = connection_->note_of_proxy(); !note.empty()) {
    out.notes.push_back(std::move(note));
  }
  if (const other_product* other = connection_->server().other) {
    if (!other->keeps_marks) {
      return fail(
          error_kind::not_supported,
          "{}: the server is {}, whose transactions do not take rows and marks back together, so that "
          "a run that fails could neither undo nor go on with what it has written: {}",
          options_.table().place, other->name, other->instead);
    }
    out.notes.push_back(fmt::format(
        "The server says that it is {}, which speaks MySQL's protocol: the promise holds as far as its "
        "transactions and savepoints are as InnoDB's, and nothing else of MySQL's own is used that it may "
        "lack (LOAD DATA, statements sent together).",
        other->name));
  }
  SLUICE_TRY(auto table, look_up_table(*connection_, table_, stop_));
  if (table && table->by_another_case) {
    table.reset();  // statements name it as the job does
  }
  if (!use_) {
    SLUICE_TRY(use_, look_up_use(table));
  }
  SLUICE_TRY(const std::string lost, lost_in_a_crash(*connection_, stop_));
  out.promise += marks_.kept ? lost : "";
  SLUICE_CHECK(progress_.announce(out.changes));
  // Marks in another database may be those of jobs into several.
  out.output = names_.schema == table_.database ? table_.table : table_.database + "." + table_.table;
  out.empties = steps_.empties();
  std::vector<std::string> statements = steps_.announcements();
  if (!steps_.creates_first()) {
    out.changes.insert(out.changes.end(), statements.begin(), statements.end());
    statements.clear();
  }
  SLUICE_CHECK(describe_table(table, source_columns, out));
  SLUICE_CHECK(check_all_rights());
  out.changes.insert(out.changes.end(), statements.begin(), statements.end());
  out.run_again = steps_.run_again_text(options_.mode, has_key_);
  out.same_again = relational::is_same_again(options_.mode, has_key_);
  return out;
}

result<void> mysql_target::check_all_rights() {
  std::vector<std::string_view> rights = {"INSERT"};
  if (options_.create_table && !table_there_) {
    rights.push_back("CREATE");
  }
  if (options_.mode == write_mode::update) {
    rights.push_back("UPDATE");
  } else if (options_.mode == write_mode::replace) {
    rights.push_back("DELETE");
  }
  const auto placed = [&](error e, const std::string& place) {
    e.message = fmt::format("{}: {}", place, e.message);
    return fail(std::move(e));
  };
  if (auto may = check_rights(*connection_, table_.database, rights, stop_); !may) {
    return placed(std::move(may).error(), options_.table().place);
  }
  if (!marks_.kept) {
    return {};
  }
  rights = {"SELECT", "INSERT", "UPDATE", "DELETE"};
  SLUICE_TRY(const bool there, progress_.has_tables());
  SLUICE_TRY(const std::size_t columns, progress_.columns_to_add());
  if (!there) {
    rights.push_back("CREATE");
  }
  if (columns != 0) {
    rights.push_back("ALTER");
  }
  if (auto may = check_rights(*connection_, names_.schema, rights, stop_); !may) {
    error why = std::move(may).error();
    why.message += there ? fmt::format("; it is for the tables of marks, {}", progress_.tables())
                         : fmt::format(
                               "; or have the tables of marks, {}, made beforehand (sluice ddl JOB "
                               "--progress prints the statements)",
                               progress_.tables());
    return placed(std::move(why), wish_.name.empty() ? options_.table().place : wish_.place);
  }
  return {};
}

result<table_use> mysql_target::look_up_use(const std::optional<table_info>& destination) {
  table_use use{{}, steps_.may_change_rows()};
  const auto add = [&](const table_info& table) -> result<void> {
    SLUICE_TRY(auto identity, table_identity(*connection_, table.database, table.name, stop_));
    if (!identity.empty()) {
      use.tables.push_back(std::move(identity));
    }
    return {};
  };
  if (destination) {
    SLUICE_CHECK(add(*destination));
  }
  for (const placed_text& sql : steps_.pre_sql()) {
    for (const auto& parts : relational::tables_altered_by(sql.text, sql_rules())) {
      if (parts.size() > 2) {
        continue;
      }
      const table_name name{parts.size() == 2 ? parts[0].name : std::string(), parts.back().name};
      SLUICE_TRY(const auto table, look_up_table(*connection_, name, stop_));
      if (table) {
        SLUICE_CHECK(add(*table));
      }
    }
  }
  return use;
}

result<void> mysql_target::describe_table(const std::optional<table_info>& table,
                                          const schema& source_columns, target_description& out) {
  if (!table && options_.create_table) {
    return plan_created_table(source_columns, out);
  }
  if (table) {
    auto done = describe_there(*table, source_columns, out);
    if (done || !steps_.table_comes_later()) {
      return done;
    }
  } else if (!steps_.table_comes_later()) {
    SLUICE_TRY(const std::string missing, describe_missing_table(*connection_, table_, stop_));
    return fail(error_kind::bad_option, "{}: {}; or set \"createTable\": true to have it made",
                options_.table().place, missing);
  }
  out.columns.reset();
  out.compared = false;
  out.notes.push_back(fmt::format("The table {} is made by preSql, not compared.", in_quotes(table_.table)));
  return {};
}

result<void> mysql_target::describe_there(const table_info& table, const schema& source_columns,
                                          target_description& out) {
  if (table.type != table_type::table || table.name.starts_with("sluice_")) {
    return fail(error_kind::not_supported, "{}: {} is {}; name a table of its own", options_.table().place,
                in_quotes(table.name),
                table.type == table_type::view    ? "a view"
                : table.type == table_type::other ? "no ordinary table"
                                                  : "a table of Sluice's own");
  }
  table_there_ = true;
  if (table.engine != "InnoDB" && connection_->server().other == nullptr) {
    return fail(
        error_kind::not_supported,
        "{}: table {} is of the engine {}, which takes no row back that was refused or that a failure "
        "left behind; alter it (ENGINE=InnoDB), or name one that is of InnoDB",
        options_.table().place, in_quotes(table.name), table.engine);
  }
  SLUICE_TRY(const table_state state, state_of(*connection_, table.database, table.name, true, stop_));
  if (state.storage.empty()) {
    out.notes.emplace_back(
        "A TRUNCATE of the table while the run writes it goes unnoticed: the server does not tell this "
        "account "
        "of the table's files (right PROCESS).");
  }
  SLUICE_CHECK(check_ignore(table, out));
  const std::vector<std::string> names = table.column_names();
  if (options_.create_table) {
    create_sql_ = "DO 0";
    if (const auto made = table_to_make(source_columns)) {
      const std::string sql = describe_created(*made, out);
      if (steps_.creates_last()) {
        create_sql_ = sql;
        relational::announce_created(*made, sql, true, out);
      }
    }
  }
  const relational::target_table mapping = mapping_of(table);
  auto come = relational::without_computed(mapping, options_, sql_rules(), source_columns);
  out.left_out = std::move(come.left_out);
  SLUICE_TRY(const auto mapped,
             relational::mapped_columns(mapping, options_, sql_rules(), come.columns, values_));
  has_key_ = relational::meets_key(mapping, mapped);
  if (options_.mode != write_mode::insert) {
    SLUICE_CHECK(relational::check_key(mapping, mapped, relational::to_string(options_.mode), values_));
    has_key_ = relational::meets_key_without_null(mapping, mapped);
    if (options_.mode != write_mode::ignore) {
      warn_(values_.place("writeMode"),
            relational::key_warnings(mapping, mapped, relational::found_by::each_key));
    } else if (!*has_key_) {  // a row that is left alone takes nobody's place
      warn_(values_.place("writeMode"),
            relational::key_warnings(mapping, mapped, relational::found_by::one_key));
    }
    SLUICE_CHECK(describe_collations(table, mapped, source_columns, out));
  }
  if (options_.mode == write_mode::replace) {
    SLUICE_TRY(const auto keys, referring_keys(*connection_, table, stop_));
    warn_(values_.place("writeMode"), relational::referring_warnings(keys));
  }
  if (options_.mode == write_mode::update || options_.mode == write_mode::replace) {
    out.notes.emplace_back(relational::last_one_wins);
  }
  SLUICE_CHECK(check_listed(names, mapped));
  if (std::string note = options_.all_columns ? table.note_of_invisible("written", mapped) : "";
      !note.empty()) {
    out.notes.push_back(std::move(note));
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].generated) {
      out.notes.push_back(fmt::format("Column {} of table {} is computed by the server and left out.",
                                      in_quotes(table.columns[i].name), in_quotes(table.name)));
    }
  }
  return use_columns(table, mapped, come.columns, out);
}

result<void> mysql_target::describe_collations(const table_info& table,
                                               const std::vector<std::size_t>& mapped,
                                               const schema& source_columns, target_description& out) {
  const std::vector<std::size_t>& left_out = out.left_out;
  std::vector<written_text> written;
  std::size_t place = 0;  // in `mapped`, which has none for those that are left out
  for (std::size_t i = 0; i < source_columns.size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) != left_out.end()) {
      continue;
    }
    const type_id id = source_columns[i].type.id;
    if (id == type_id::utf8 || id == type_id::binary) {
      const relational::source_type from = relational::type_at(source_columns, facts_.get(), i);
      written.push_back({mapped[place], from.of_mysql() ? std::string(collation_in(from.own_type)) : ""});
    }
    ++place;
  }
  SLUICE_TRY(auto texts, texts_about_collations(*connection_, table, written,
                                                options_.mode != write_mode::ignore, stop_));
  warn_(values_.place("writeMode"), texts.warnings);
  std::move(texts.notes.begin(), texts.notes.end(), std::back_inserter(out.notes));
  return {};
}

result<void> mysql_target::check_ignore(const table_info& table, target_description& out) const {
  if (options_.mode != write_mode::ignore) {
    return {};
  }
  if (table.has_update_triggers) {
    return values_.bad("writeMode",
                       fmt::format("found \"ignore\", and table {} has an UPDATE trigger, which would act on "
                                   "rows that are there already (ON DUPLICATE KEY UPDATE); expected another "
                                   "mode, or a table without that trigger",
                                   in_quotes(table.name)));
  }
  if (!table.sees_triggers) {
    out.notes.push_back(
        fmt::format("This account has no right TRIGGER and is not told of triggers: an UPDATE "
                    "trigger of table {} would act on rows that are ignored.",
                    in_quotes(table.name)));
  }
  return {};
}

result<void> mysql_target::check_listed(const std::vector<std::string>& names,
                                        const std::vector<std::size_t>& mapped) const {
  for (const auto* list : {&options_.update_columns, &options_.skip_columns}) {
    for (const placed_text& name : *list) {
      const auto index = relational::named_in(name.text, names, sql_rules());
      if (!index || std::find(mapped.begin(), mapped.end(), *index) == mapped.end()) {
        return fail(error_kind::bad_option,
                    "{}: {} is none of the columns that are mapped; map it, or leave it out", name.place,
                    in_quotes(name.text));
      }
    }
  }
  return {};
}

result<void> mysql_target::use_columns(const table_info& table, const std::vector<std::size_t>& mapped,
                                       const schema& source_columns, target_description& out) {
  auto columns = std::make_shared<schema>();
  auto plan = std::make_shared<writer_plan>();
  plan->connect = connect_plan_;
  plan->connect.role = session_role::write;
  plan->table = quoted_table_;
  plan->mode = options_.mode;
  plan->batch_rows = options_.batch_rows;
  plan->batch_bytes = options_.batch_bytes;
  plan->marks = marks_;
  constexpr std::uint32_t warns_of_values = 80020;
  const server_info& server = connection_->server();
  plan->names_rows = server.product == server_product::mysql && server.version >= warns_of_values;
  plan->may_load = options_.mode == write_mode::insert || options_.mode == write_mode::replace;
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const table_column& c = table.columns[mapped[i]];
    // The server makes up a number, or takes the time of day, where such a column gets NULL. What else is
    // NOT NULL a trigger may fill.
    const bool made_up = c.auto_increment || c.kind.holds == held_as::instant;
    const bool skips = skips_null(options_, c.name, table.column_names());
    const bool takes_null = !c.not_null || (skips && (c.has_default || c.auto_increment));
    columns->push_back({c.name, write_type(c.kind, source_columns[i].type), takes_null, c.kind.name,
                        takes_empty_text(c.kind)});
    plan->may_load = plan->may_load && !skips;
    plan->columns.push_back({c.name, c.kind, c.not_null && !skips && (made_up || !table.has_triggers), skips,
                             source_columns[i].source_type_name.starts_with("character(")});
    plan->update_columns.push_back(c.name);
  }
  if (!options_.update_columns.empty()) {
    plan->update_columns.clear();
    const auto names = table.column_names();
    for (const placed_text& name : options_.update_columns) {
      plan->update_columns.push_back(names[*relational::named_in(name.text, names, sql_rules())]);
    }
  }
  plan->only_key = only_key_of(table, *plan);
  plan->looks_for_duplicates =
      options_.mode == write_mode::insert && !plan->only_key.empty() && !table.has_triggers;
  // A message does not say of which table a key is: with triggers it may be another's.
  if (!table.has_triggers) {
    SLUICE_TRY(plan->checks, check_columns(*connection_, table, stop_));
    for (const table_key& key : table.keys) {
      plan->keys[key.name] = fmt::format("{}", fmt::join(key.columns, ", "));
    }
  }
  plan->connect.may_load = plan->may_load;
  SLUICE_CHECK(relational::check_bit_strings(source_columns, *columns, options_.table().place));
  out.columns = std::move(columns);
  plan_ = std::move(plan);
  return {};
}

result<void> mysql_target::check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) {
  stop_ = stop;
  SLUICE_TRY(connection * c, connect());
  SLUICE_TRY(table_state state, state_of(*c, table_.database, table_.table, true, stop_));
  if (state.altered.empty()) {
    // OPTIMIZE and its like put another file in its place: for a moment there is none. A query waits for
    // them.
    (void)c->ask(fmt::format("SELECT 1 FROM {} LIMIT 1", quoted_table_), stop_);
    SLUICE_TRY(c, connect());
    SLUICE_TRY(state, state_of(*c, table_.database, table_.table, true, stop_));
  }
  relational::table_there there;
  there.name = fmt::format("{}: {}", options_.table().place, quoted_table_);
  there.mode = options_.mode;
  there.storage = state.altered.empty() ? "" : fmt::format("{} {}", state.altered, state.storage);
  there.count = [&](std::uint64_t rows_max) -> result<std::optional<std::uint64_t>> {
    const auto found = c->ask(
        fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT {}) AS t", quoted_table_, rows_max), stop_);
    if (!found && found.error().kind == error_kind::denied) {
      return std::optional<std::uint64_t>();
    }
    if (!found) {
      return fail(found.error());
    }
    return std::optional(static_cast<std::uint64_t>(std::stoull(found->at(0).at(0).value_or("0"))));
  };
  return relational::check_rows_there(*session_, marks_, *claim_, rows, at_end, there);
}

result<std::unique_ptr<writer>> mysql_target::make_writer(schema_ptr columns) {
  if (plan_ == nullptr || columns == nullptr || columns->size() != plan_->columns.size()) {
    return fail(
        error_kind::bad_option,
        "{}: table {} does not have the columns that the job maps; a statement of preSql was to make it",
        options_.table().place, in_quotes(table_.table));
  }
  return std::make_unique<mysql_writer>(plan_, claim_, std::move(columns));
}

void mysql_target::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::mysql
