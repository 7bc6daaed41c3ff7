#include "plugins/postgresql/postgresql_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/common/relational/rows_there.h"
#include "plugins/common/relational/session_place.h"
#include "plugins/postgresql/postgresql_own.h"
#include "plugins/postgresql/postgresql_rights.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// Rules that rewrite a statement of the mode on the table: COPY passes them by, INSERT obeys them, and ON
/// CONFLICT does not go with them, so that what becomes of a row would hang on the rows beside it.
result<void> check_rules(connection& c, const table_info& table, relational::write_mode mode,
                         const std::string& place) {
  const bool by_conflict = mode == relational::write_mode::update || mode == relational::write_mode::ignore;
  // ev_type: UPDATE 2, INSERT 3, DELETE 4
  const std::string events = by_conflict                               ? "'2', '3'"
                             : mode == relational::write_mode::replace ? "'3', '4'"
                                                                       : "'3'";
  SLUICE_TRY(const auto rules,
             c.ask(fmt::format("SELECT pg_catalog.quote_ident(rulename) FROM pg_catalog.pg_rewrite WHERE "
                               "ev_class = $1::oid AND ev_type IN ({}) AND (ev_enabled = 'A' OR ev_enabled = "
                               "CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' "
                               "THEN 'R' ELSE 'O' END) ORDER BY rulename",
                               events),
                   {fmt::to_string(table.oid)}));
  if (rules.empty()) {
    return {};
  }
  std::vector<std::string> names;
  std::vector<std::string> disable;
  for (const auto& row : rules) {
    names.push_back(row.at(0).value_or(""));
    disable.push_back("DISABLE RULE " + names.back());
  }
  return fail(error_kind::not_supported,
              "{}: table {} has the rule {} on what \"{}\" does to it; COPY passes rules by and INSERT obeys "
              "them, so that a row would be rewritten or not by what stands beside it in its batch; put a "
              "trigger in its place, or take it out of the way for the run: ALTER TABLE {} {}",
              place, in_quotes(table.name), fmt::join(names, ", "), relational::to_string(mode),
              table.quoted_name(), fmt::join(disable, ", "));
}

/// Behind these its columns are what they were.
constexpr auto keeping_words =
    std::to_array<std::string_view>({"TRUNCATE", "DELETE", "INSERT", "UPDATE", "ANALYZE", "VACUUM", "LOCK"});

template <class Words>
bool begins_with_any(std::string_view sql, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return relational::begins_with_word(sql, w, sql_rules()); });
}

bool keeps_columns(std::string_view sql) {
  const std::size_t end = sql.find(';');
  return begins_with_any(sql, keeping_words) &&
         (end == std::string_view::npos || sql.find_first_not_of(" \t\r\n;", end) == std::string_view::npos);
}

error placed(error e, const std::string& place) {
  e.message = fmt::format("{}: {}", place, e.message);
  return e;
}

/// `storage_of` of the table of that name in SQL, empty where there is none; with the server's last start or
/// crash where it or a part of it is unlogged, because a crash empties that.
result<std::string> rows_kept_in(connection& c, const std::string& name) {
  if (c.is_plain()) {  // no more than which table it is
    SLUICE_TRY(const auto oid, c.ask(fmt::format("SELECT {}", oid_sql(c, name))));
    return oid.at(0).at(0).value_or("");
  }
  // A crash also comes without a new start (a process that is killed); it resets the statistics then.
  SLUICE_TRY(const auto table, c.ask("SELECT pg_catalog.to_regclass($1)::oid::text, EXTRACT(EPOCH FROM "
                                     "pg_catalog.pg_postmaster_start_time())::text || ' ' || "
                                     "coalesce(EXTRACT(EPOCH FROM stats_reset)::text, '') FROM "
                                     "pg_catalog.pg_stat_bgwriter",
                                     {name}));
  const std::string oid = table.at(0).at(0).value_or("");
  if (oid.empty()) {
    return std::string();
  }
  SLUICE_TRY(const std::string storage, storage_of(c, oid, name));
  SLUICE_TRY(const rows_under under, what_is_under(c, static_cast<std::uint32_t>(std::stoul(oid))));
  return !under.unlogged || storage.empty() ? storage : storage + " " + table[0].at(1).value_or("");
}

}  // namespace

postgresql_target::postgresql_target(target_options options, option_values values,
                                     relational::mark_names names, const plugin_context& context)
    : options_(std::move(options)),
      values_(std::move(values)),
      warn_(context.warn),
      names_(std::move(names)),
      wish_(context.marks),
      progress_(*this, dialect_, *claim_) {
  options_.create_table = options_.create_table || context.makes_table;
  session_ = {options_.connect(),
              options_.session,
              context.job_name,
              context.run.text(),
              context.resolve_secret,
              std::make_shared<relational::lock_watch>(context.warn),
              std::make_shared<relational::once_warner>(context.warn)};
  table_ = parse_table_name(options_.table().text).value_or(table_name{"", options_.table().text});
  quoted_table_ = (table_.schema.empty() ? "" : quote_name(table_.schema) + ".") + quote_name(table_.name);

  dialect_.placeholders = relational::progress_dialect::placeholder::dollar_number;
  dialect_.quote = sql_rules().name_quote;
  dialect_.place = relational::to_text(options_.connect());
  dialect_.now_seconds = "EXTRACT(EPOCH FROM clock_timestamp())::bigint";
  // Names and codes are compared byte by byte whatever the database's collation.
  dialect_.key_type = "TEXT COLLATE \"C\"";
  dialect_.text_type = "TEXT COLLATE \"C\"";
  name_progress_tables(table_.schema);
}

void postgresql_target::make_steps_once() {
  if (steps_) {
    return;
  }
  const auto with_name = [&](std::vector<relational::placed_text> statements) {
    for (relational::placed_text& s : statements) {
      s.text = relational::with_table(s.text, quoted_table_);
    }
    return statements;
  };
  std::vector<relational::name_part> parts;
  if (!table_.schema.empty()) {
    parts.push_back({table_.schema, true});
  }
  parts.push_back({table_.name, true});
  steps_.emplace(with_name(options_.pre_sql), with_name(options_.post_sql), std::move(parts), sql_rules(),
                 may_repeat);
  if (options_.create_table) {
    steps_->create_table(values_.place("createTable"));
  }
}

void postgresql_target::name_progress_tables(const std::string& of_table) {
  const std::string& schema = names_.schema.empty() ? of_table : names_.schema;
  const std::string before = schema.empty() ? "" : quote_name(schema) + ".";
  dialect_.kept = names_.kept;
  const auto written = [](const std::string& name) {
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos ? name
                                                                                      : quote_name(name);
  };
  dialect_.run_table = before + written(names_.run);
  dialect_.progress_table = before + written(names_.progress);
  dialect_.tables_name =
      fmt::format("{} and {} in {}{}", names_.run, names_.progress, relational::to_text(options_.connect()),
                  schema.empty() ? "" : " schema " + schema);
}

result<connection*> postgresql_target::connect_once() {
  if (connection_ == nullptr || connection_->is_lost()) {
    auto made = open_session(session_, session_role::target, "target", stop_);
    if (!made) {
      return fail(relational::with_place_of_connection(std::move(made).error(), options_.connect().place,
                                                       options_.session));
    }
    const std::lock_guard lock(interrupting_);
    connection_ = std::move(*made);
    session_.product = connection_->product();
    statements_.emplace(*connection_);
  }
  connection_->use_stop(stop_);
  return connection_.get();
}

result<relational::sql_session*> postgresql_target::session(bool makes) {
  (void)makes;
  SLUICE_CHECK(connect_once());
  return &*statements_;
}

result<std::vector<std::string>> postgresql_target::columns_of(const std::string& table) {
  SLUICE_TRY(connection * c, connect_once());
  SLUICE_TRY(
      const auto rows,
      c->ask(fmt::format("SELECT pg_catalog.lower(attname) FROM pg_catalog.pg_attribute WHERE attrelid "
                         "= {} AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                         oid_sql(*c, table))));
  std::vector<std::string> names;
  for (const auto& row : rows) {
    names.push_back(row.at(0).value_or(""));
  }
  return names;
}

result<std::string> postgresql_target::session_name() {
  SLUICE_TRY(connection * c, connect_once());
  return session_name_of(*c);
}

result<std::optional<bool>> postgresql_target::session_lives(const std::string& name) {
  SLUICE_TRY(connection * c, connect_once());
  return postgresql::session_lives(*c, name);
}

result<bool> postgresql_target::session_works(const std::string& name) {
  SLUICE_TRY(connection * c, connect_once());
  return postgresql::session_works(*c, name);
}

result<void> postgresql_target::end_session(const std::string& name) {
  SLUICE_TRY(connection * c, connect_once());
  return postgresql::end_session(*c, name);
}

result<void> postgresql_target::connect_early(const stop_signal& stop) {
  stop_ = stop;
  SLUICE_CHECK(connect_once());
  return {};
}

result<target_description> postgresql_target::open(const schema& source_columns, const stop_signal& stop) {
  stop_ = stop;
  target_description out;
  relational::promise_by_marks(dialect_, wish_, out);
  out.whole_split_max = {.bytes = relational::whole_split_bytes_max};
  out.connections = {.own = 1, .each_pipeline = 1};
  plan_.reset();
  table_there_ = false;
  unlogged_ = false;
  has_key_.reset();
  sequences_.clear();
  SLUICE_TRY(connection * c, connect_once());
  c->clear_interrupt();
  SLUICE_TRY(const auto read_only, c->ask("SHOW transaction_read_only"));
  if (read_only.at(0).at(0) == "on") {
    return fail(error_kind::denied,
                "{}: {}: the server is read-only (a standby, or by its settings); name the primary",
                options_.connect().place, c->place());
  }
  // As this session has them: from the server, the database or the account.
  SLUICE_TRY(
      const auto unsafe,
      c->ask(
          "SELECT name FROM pg_catalog.pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting "
          "= 'off' ORDER BY name DESC"));
  if (!unsafe.empty() && dialect_.kept) {
    const std::string name = unsafe.front().at(0).value_or("");
    out.promise += fmt::format(" (unless {} crashes: {} is off, so that it may lose its last commits)",
                               name == "fsync" ? "its machine" : "the server", name);
  }
  auto table = look_up_table(*c, table_);
  if (!table) {
    return fail(placed(std::move(table).error(), options_.table().place));
  }
  if (*table) {
    quoted_table_ = (*table)->quoted_name();
    name_progress_tables((*table)->schema);
  } else if (table_.schema.empty()) {
    // Named as it will be once it is made: a start that finds it must see the same statements.
    SLUICE_TRY(const auto schema, c->ask("SELECT pg_catalog.current_schema()"));
    if (const auto& made_in = schema.at(0).at(0)) {
      quoted_table_ = quote_name(*made_in) + "." + quote_name(table_.name);
      name_progress_tables(*made_in);
    }
  }
  make_steps_once();
  out.empties = steps_->empties();
  std::vector<std::string> statements = steps_->announcements();
  if (!steps_->creates_first()) {
    out.changes.insert(out.changes.end(), statements.begin(), statements.end());
    statements.clear();
  }
  SLUICE_CHECK(describe_table(*table, source_columns, out));
  written_objects written = {.schema = *table ? (*table)->schema : table_.schema,
                             .makes = options_.create_table && (!*table || steps_->creates_last()),
                             .mode = options_.mode};
  if (dialect_.kept) {
    written.marks = {dialect_.run_table, dialect_.progress_table};
    written.marks_schema = names_.schema;
    written.marks_place = wish_.place;
  }
  if (*table && plan_ != nullptr && !steps_->table_comes_later()) {
    written.table = quoted_table_;
    written.columns = plan_->columns;
    written.key = key_;
  }
  if (auto may = check_rights(*c, written); !may) {
    const bool of_marks = !wish_.place.empty() && may.error().message.starts_with(wish_.place);
    return fail(of_marks ? may.error() : placed(std::move(may).error(), options_.table().place));
  }
  out.name = fmt::format("postgresql {} table {}", c->place(), table_.name);
  out.output = quoted_table_;
  if (*table && use_.tables.empty()) {
    SLUICE_TRY(auto identities, table_identities(*c, (*table)->oid, passes_rows_on_));
    if ((*table)->type != table_type::partitioned && !passes_rows_on_) {
      identities.resize(1);  // rows go into itself alone
    }
    use_ = {std::move(identities), steps_->may_change_rows()};
  }
  std::vector<std::string> of_marks;
  SLUICE_CHECK(progress_.announce(of_marks));
  out.changes.insert(out.changes.begin(), of_marks.begin(), of_marks.end());
  out.changes.insert(out.changes.end(), statements.begin(), statements.end());
  out.run_again = steps_->run_again_text(options_.mode, has_key_);
  out.same_again = relational::is_same_again(options_.mode, has_key_);
  return out;
}

result<void> postgresql_target::describe_table(const std::optional<table_info>& found,
                                               const schema& source_columns, target_description& out) {
  passes_rows_on_ = false;
  if (found) {
    if (found->type == table_type::materialized_view) {
      return fail(
          error_kind::not_supported,
          "{}: {} is a materialized view, which holds what its query gives; name a table, and REFRESH "
          "MATERIALIZED VIEW in \"postSql\"",
          options_.table().place, in_quotes(found->name));
    }
    passes_rows_on_ = found->passes_rows_on();
    SLUICE_TRY(table_info table,
               passes_rows_on_ ? as_inserted_into(*found, out) : result<table_info>(*found));
    SLUICE_TRY(const rows_under under, table.type == table_type::table || connection_->is_plain()
                                           ? result<rows_under>(rows_under())
                                           : what_is_under(*connection_, table.oid));
    table.unlogged = table.unlogged || under.unlogged;
    if (under.foreign && dialect_.kept) {
      out.promise_gap =
          under.wrappers.empty()
              ? "the rows of a foreign table are committed by its own server, just before the mark, and a "
                "server "
                "may fail between the two"
              : fmt::format(
                    "whether {} takes back what is rolled back is not known, so that rows of a lost "
                    "transaction, or beside one that is refused, may be there twice",
                    under.wrappers);
      out.promise =
          under.wrappers.empty()
              ? "exactly once, unless a server fails between two commits: the rows of a foreign table are "
                "committed by its own server, just before the mark"
              : "at least once, because " + out.promise_gap;
    }
    table_there_ = true;
    if (const auto made = table_to_make(source_columns); options_.create_table && made) {
      describe_created(*made, out);
      if (steps_->creates_last()) {
        create_sql_ = fmt::format("{}", fmt::join(out.ddl, "; "));
        relational::announce_created(*made, create_sql_, true, out);
      }
    }
    auto used = use_table(table, source_columns, out);
    if (used || !steps_->table_comes_later()) {
      return used;
    }
  } else if (options_.create_table) {
    return plan_created_table(source_columns, out);
  } else if (!steps_->table_comes_later()) {
    error missing = missing_table(*connection_, table_);
    if (missing.kind == error_kind::bad_option) {
      missing.message += "; or set \"createTable\": true to have it made";
    }
    return fail(placed(std::move(missing), options_.table().place));
  }
  out.compared = false;
  out.notes.push_back(fmt::format("The table {} is made by preSql, not compared.", in_quotes(table_.name)));
  return {};
}

result<table_info> postgresql_target::as_inserted_into(const table_info& table, target_description& out) {
  const bool is_view = table.type == table_type::view;
  const auto refused = [&](const std::string& why) {
    return fail(error_kind::not_supported, "{}: {} is {}, {}", options_.table().place, in_quotes(table.name),
                is_view ? "a view" : "a foreign table", why);
  };
  if (connection_->is_plain()) {
    return refused("which is written to on PostgreSQL itself alone; name a table");
  }
  if (finds_by_key(options_.mode)) {
    return refused(
        fmt::format("which has no key that \"writeMode\": \"{}\" could find rows by; {}, or set "
                    "\"insert\"",
                    relational::to_string(options_.mode),
                    is_view ? "name the table under it" : "name the table on its own server"));
  }
  SLUICE_TRY(const inserting how, inserting_into(*connection_, table.oid));
  if (!how.takes_rows) {
    return refused(is_view
                       ? "and the server cannot tell where its rows would go; name the table under it, or "
                         "give it a trigger (INSTEAD OF INSERT)"
                       : "whose wrapper takes no rows, or is told not to (\"updatable\"); name the table "
                         "on its own server");
  }
  table_info out_table = table;
  for (table_column& c : out_table.columns) {
    const bool computed = std::find(how.computed.begin(), how.computed.end(), c.name) != how.computed.end();
    c.generated = c.generated || (is_view && computed);
    c.always_identity = is_view && how.overrules_identity;
  }
  out.notes.push_back(fmt::format("{} {} is written to by INSERT, {} rows a statement; {}.",
                                  is_view ? "View" : "Foreign table", in_quotes(table.name),
                                  options_.batch_rows,
                                  how.by_trigger ? "its trigger (INSTEAD OF) does with them what it does"
                                  : is_view      ? "they go into the table under it"
                                                 : "its wrapper sends them on"));
  return out_table;
}

result<void> postgresql_target::use_table(const table_info& table, const schema& incoming,
                                          target_description& out) {
  if (!connection_->is_plain()) {
    SLUICE_CHECK(check_rules(*connection_, table, options_.mode, options_.table().place));
  }
  relational::target_table asked;
  asked.name = table.name;
  for (const table_column& c : table.columns) {
    asked.columns.push_back({c.name, c.not_null, c.has_default, c.generated});
  }
  for (const unique_key& key : table.keys) {
    asked.keys.push_back(key.columns);
  }
  asked.unusable_keys = table.unusable_keys;
  auto come = relational::without_computed(asked, options_, sql_rules(), incoming);
  out.left_out = std::move(come.left_out);
  const schema& source_columns = come.columns;
  SLUICE_TRY(const auto mapped,
             relational::mapped_columns(asked, options_, sql_rules(), source_columns, values_));
  keys_ = table.keys;
  has_other_keys_ = !table.unusable_keys.empty();
  constraints_ = table.constraints;
  changes_rows_first_ = table.changes_rows_first;
  has_children_ = table.has_children;
  compared_.clear();
  if (!connection_->is_plain() && !table.keys.empty()) {
    SLUICE_TRY(compared_, comparisons_of(*connection_, table.oid));
  }
  has_key_ = passes_rows_on_ ? std::nullopt : std::optional(relational::meets_key(asked, mapped));
  key_.clear();
  if (finds_by_key(options_.mode)) {
    SLUICE_CHECK(use_key(table, asked, mapped, out));
  }
  std::vector<std::string> names;
  std::vector<column_type> kinds;
  std::vector<bool> not_null;
  std::vector<server_type> types;
  overrules_identity_ = false;
  for (const std::size_t index : mapped) {
    const table_column& c = table.columns[index];
    overrules_identity_ = overrules_identity_ || c.always_identity;
    // Where there is nothing but the key, its first column is set to what it is.
    const bool sets = std::find(key_.begin(), key_.end(), c.name) == key_.end() ||
                      (key_.size() == mapped.size() && c.name == key_.front());
    if (options_.mode == relational::write_mode::update && c.always_identity && sets) {
      return fail(
          error_kind::not_supported,
          "{}: column {} is GENERATED ALWAYS AS IDENTITY, which an UPDATE cannot set (428C9); leave it "
          "out of \"column\", set \"writeMode\": \"replace\", or ALTER TABLE {} ALTER {} SET "
          "GENERATED BY DEFAULT",
          options_.table().place, in_quotes(c.name), table.quoted_name(), quote_name(c.name));
    }
    names.push_back(c.name);
    kinds.push_back(kind_to_write(c.kind, c.type));
    not_null.push_back(c.not_null);
    types.push_back(c.type);
  }
  for (const table_column& c : table.columns) {
    if (c.generated) {
      out.notes.push_back(
          fmt::format("Column {} is computed by the server and left out.", in_quotes(c.name)));
    }
  }
  if (table.unlogged) {
    unlogged_ = true;
    if (dialect_.kept) {
      out.promise = "exactly once, unless the server crashes: the table is unlogged, and a crash empties it";
      out.promise_gap = fmt::format("table {} is unlogged, and a crash of the server empties it", table.name);
    }
    out.notes.push_back(
        fmt::format("Table {} is unlogged: a crash of the server empties it, whatever was reported "
                    "as written. One during the run is an error (conflict); the run begins anew then.",
                    in_quotes(table.name)));
  }
  SLUICE_CHECK(describe_sequences(table, names, out));
  return use_columns(names, kinds, not_null, types, source_columns, out);
}

result<void> postgresql_target::use_key(const table_info& table, relational::target_table& asked,
                                        const std::vector<std::size_t>& mapped, target_description& out) {
  const bool ignores = options_.mode == relational::write_mode::ignore;
  SLUICE_CHECK(relational::check_key(asked, mapped, relational::to_string(options_.mode), values_));
  if (mapped.size() > staged_columns_max && !connection_->is_plain()) {
    return values_.bad(
        "writeMode",
        fmt::format("found {} for {} columns; its rows are staged in a temporary table with one column more, "
                    "and the server's tables have at most 1600; write at most {} of the columns, or set "
                    "\"insert\"",
                    relational::to_string(options_.mode), mapped.size(), staged_columns_max));
  }
  const auto met = relational::met_keys(asked, mapped);
  std::string why;
  if (!options_.key_columns.empty()) {
    SLUICE_TRY(key_, relational::key_named(asked, mapped, options_.key_columns, sql_rules(), values_));
  } else if (!ignores) {
    key_ = met.front();
    if (met.size() > 1) {
      why = fmt::format(", the first of the keys {}; \"uniqueIndexColumns\" names another",
                        relational::key_list(met));
    }
  } else if (met.size() > 1) {
    out.notes.push_back(
        fmt::format("A record whose values are there in any of the keys {} is left out; "
                    "\"uniqueIndexColumns\" names one.",
                    relational::key_list(met)));
  }
  if (!key_.empty()) {
    asked.keys = {key_};
    out.notes.push_back(fmt::format("Rows are found by ({}){}.{}", fmt::join(key_, ", "), why,
                                    ignores ? "" : fmt::format(" {}", relational::last_one_wins)));
  }
  if (asked.keys.size() == 1 && std::any_of(table.keys.begin(), table.keys.end(), [&](const unique_key& key) {
        const auto how = compared_.find(key.name);
        return how != compared_.end() && how->second.nulls_equal && key.columns == asked.keys.front();
      })) {
    for (auto& column : asked.columns) {  // NULL is a value like others to it
      const auto& of = asked.keys.front();
      column.not_null = column.not_null || std::find(of.begin(), of.end(), column.name) != of.end();
    }
  }
  has_key_ = relational::meets_key_without_null(asked, mapped);
  warn_(values_.place("writeMode"), relational::key_warnings(asked, mapped, relational::found_by::one_key));
  if (options_.mode == relational::write_mode::replace) {
    SLUICE_TRY(const auto keys, referring_keys(*connection_, table));
    warn_(values_.place("writeMode"), relational::referring_warnings(keys));
  }
  return {};
}

result<void> postgresql_target::describe_sequences(const table_info& table,
                                                   const std::vector<std::string>& columns,
                                                   target_description& out) {
  const bool resets = options_.reset_sequences;
  if (connection_->is_plain()) {
    sequences_.clear();
    return !resets
               ? result<void>()
               : result<void>(fail(error_kind::not_supported,
                                   "{}: {} says that it is {}, whose sequences are not known here; leave it "
                                   "out, and move them on in \"postSql\" (SELECT setval(…))",
                                   values_.place("resetSequences"), connection_->place(),
                                   in_quotes(connection_->product().says)));
  }
  SLUICE_TRY(auto found, sequences_of(*connection_, table, columns));
  sequences_ = std::move(found.known);
  std::string list;
  for (const column_sequence& s : sequences_) {
    if (resets && !s.may_move) {
      return fail(
          error_kind::denied,
          "{}: this user may not move the sequence {} to the values of column {}; GRANT SELECT, UPDATE "
          "ON SEQUENCE {}, and GRANT SELECT ({}) ON {}",
          values_.place("resetSequences"), s.name, in_quotes(s.column), s.name, quote_name(s.column),
          table.quoted_name());
    }
    list += fmt::format("{}{} of column {}", list.empty() ? "" : ", ", s.name, in_quotes(s.column));
  }
  if (resets && list.empty()) {
    out.notes.emplace_back("resetSequences: no sequence gives values to a column that is written.");
  } else if (resets) {
    out.changes.push_back(
        fmt::format("After the data the sequence {} moves on to the greatest value there.", list));
  } else if (!list.empty()) {
    warn_(
        options_.table().place,
        {fmt::format("values are written beside the sequence {}, which does not move with them: a row that "
                     "takes its number from there later may meet one of these; set \"resetSequences\": true",
                     list)});
  }
  if (!found.untold.empty()) {
    warn_(
        options_.table().place,
        {fmt::format("values are written into {}, of whose default it cannot be told to what its sequence "
                     "would have to move: a row that takes its value from there later may meet one of these; "
                     "move it on in \"postSql\" (SELECT setval('s', …))",
                     fmt::join(found.untold, ", "))});
  }
  return {};
}

result<void> postgresql_target::check_texts(const std::vector<std::string>& names,
                                            const std::vector<column_type>& kinds,
                                            const std::vector<server_type>& types,
                                            const schema& source_columns) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& from = source_columns[i].source_type_name;
    if (types[i].changes_text && from != types[i].name) {
      return fail(error_kind::not_supported,
                  "{}: column {} is {}, into which the server would round or cut values without a word; only "
                  "what is read as {} goes there: cast it so in the reader's \"column\" (found {})",
                  options_.table().place, in_quotes(names[i]), types[i].name, types[i].name,
                  from.empty() ? to_string(source_columns[i].type) : from);
    }
    if (const std::string_view what = what_changes(types[i], source_columns[i]); !what.empty()) {
      return fail(error_kind::not_supported, "{}: column {} is {}, found {}: {}", options_.table().place,
                  in_quotes(names[i]), types[i].name, from.empty() ? to_string(source_columns[i].type) : from,
                  what);
    }
  }
  const bool has_money = std::any_of(kinds.begin(), kinds.end(),
                                     [](const column_type& k) { return k.form == wire_form::money; });
  if (!has_money || form_for(kinds) == copy_form::binary || connection_->is_plain()) {
    return {};
  }
  SLUICE_TRY(const auto same, connection_->ask("SELECT '1.25'::pg_catalog.money::numeric = 1.25"));
  if (same.at(0).at(0) != "t") {
    return fail(
        error_kind::not_supported,
        "{}: the server takes 1.25 for another amount of money (lc_monetary), and this table's rows go "
        "as text, because of a column that has no binary form here; leave out the one or the other",
        options_.table().place);
  }
  return {};
}

result<void> postgresql_target::use_columns(const std::vector<std::string>& names,
                                            const std::vector<column_type>& kinds,
                                            const std::vector<bool>& not_null,
                                            const std::vector<server_type>& types,
                                            const schema& source_columns, target_description& out) {
  SLUICE_CHECK(check_texts(names, kinds, types, source_columns));
  auto columns = std::make_shared<schema>();
  auto plan = std::make_shared<writer_plan>();
  plan->session = session_;
  plan->table = quoted_table_;
  plan->columns = names;
  plan->kinds = kinds;
  for (const server_type& t : types) {
    plan->type_names.push_back(t.name);
    plan->type_oids.push_back(t.oid);
  }
  plan->keys = keys_;
  plan->has_other_keys = has_other_keys_;
  plan->constraints = constraints_;
  plan->changes_rows_first = changes_rows_first_;
  plan->mode = options_.mode;
  plan->nul = options_.nul_character;
  plan->key = key_;
  plan->dialect = dialect_;
  plan->claim = claim_;
  plan->overrules_identity = overrules_identity_;
  plan->has_children = has_children_;
  plan->compared = compared_;
  plan->by_statements = passes_rows_on_ || connection_->is_plain();
  plan->rows_max = options_.batch_rows;
  plan->bytes_max = options_.batch_bytes;
  SLUICE_CHECK(write_plainly(*plan, out));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (source_columns[i].source_type_name.starts_with("character(")) {
      plan->kinds[i].padded = 0;
    }
    // What is read as the same type is never an empty text that is none of its values.
    const bool holds_text = types[i].takes_empty_text || source_columns[i].source_type_name == types[i].name;
    columns->push_back(
        {names[i], write_type(kinds[i], source_columns[i].type), !not_null[i], types[i].name, holds_text});
  }
  SLUICE_CHECK(relational::check_bit_strings(source_columns, *columns, options_.table().place));
  const bool stays = std::all_of(steps_->pre_sql().begin(), steps_->pre_sql().end(),
                                 [](const relational::placed_text& sql) { return keeps_columns(sql.text); });
  if (stays && form_for(kinds) == copy_form::binary) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      out.takes_own.push_back(takes_own_form(types[i], source_columns[i].own_form));
    }
  }
  out.columns = std::move(columns);
  plan_ = std::move(plan);
  return {};
}

result<void> postgresql_target::write_plainly(const writer_plan& plan, target_description& out) {
  if (!connection_->is_plain()) {
    return {};
  }
  out.notes.push_back(writing_plainly(connection_->product()));
  const bool needs =
      options_.mode == relational::write_mode::update || options_.mode == relational::write_mode::ignore;
  if (!needs || !table_there_ || steps_->table_comes_later()) {
    return {};
  }
  auto compiled = connection_->describe(insert_sql(insert_plan_of(plan), 1));
  if (!compiled && compiled.error().kind != error_kind::not_connected &&
      compiled.error().kind != error_kind::cancelled) {
    return fail(error_kind::not_supported,
                "{}: found \"{}\", which takes ON CONFLICT, and the server does not: {}; set \"insert\" or "
                "\"replace\"",
                values_.place("writeMode"), relational::to_string(options_.mode), compiled.error().message);
  }
  return compiled ? result<void>() : result<void>(fail(std::move(compiled).error()));
}

result<void> postgresql_target::check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) {
  stop_ = stop;
  SLUICE_TRY(connection * c, connect_once());
  relational::table_there there;
  there.name = fmt::format("{}: {}", options_.table().place, quoted_table_);
  there.mode = options_.mode;
  there.remark = unlogged_ ? " (it is unlogged: a crash of the server empties it)" : "";
  SLUICE_TRY(there.storage, rows_kept_in(*c, quoted_table_));
  there.count = [&](std::uint64_t rows_max) -> result<std::optional<std::uint64_t>> {
    if (passes_rows_on_ && rows_max <= 1) {
      return std::optional<std::uint64_t>();  // it may show others than were written
    }
    SLUICE_TRY(const auto may,
               c->ask(fmt::format("SELECT pg_catalog.has_any_column_privilege({0}, 'SELECT'){1}",
                                  oid_sql(*c, quoted_table_),
                                  c->is_plain() ? ""
                                                : fmt::format(" AND NOT pg_catalog.row_security_active({})",
                                                              oid_sql(*c, quoted_table_)))));
    if (may.at(0).at(0) != "t") {
      return std::optional<std::uint64_t>();
    }
    SLUICE_TRY(const auto found, c->ask(fmt::format("SELECT count(*) FROM (SELECT 1 FROM {}{} LIMIT {}) AS t",
                                                    has_children_ ? "ONLY " : "", quoted_table_, rows_max)));
    return std::optional(static_cast<std::uint64_t>(std::stoull(found.at(0).at(0).value_or("0"))));
  };
  return relational::check_rows_there(*statements_, dialect_, *claim_, rows, at_end, there);
}

result<std::unique_ptr<writer>> postgresql_target::make_writer(schema_ptr columns) {
  std::size_t carried = 0;
  for (std::size_t i = 0; columns != nullptr && i < columns->size(); ++i) {
    const field& f = (*columns)[i];
    carried += f.own == nullptr ? 1 : f.own->columns.size();
  }
  if (plan_ == nullptr || carried != plan_->columns.size()) {
    return fail(
        error_kind::bad_option,
        "{}: table {} does not have the columns that the job maps; a statement of preSql was to make it",
        options_.table().place, in_quotes(table_.name));
  }
  return std::make_unique<postgresql_writer>(plan_, *columns);
}

void postgresql_target::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::postgresql
