#include "plugins/mysql/mysql_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/sql_sums.h"
#include "plugins/common/relational/sql_text.h"
#include "plugins/mysql/mysql_grants.h"
#include "plugins/mysql/mysql_moments.h"
#include "plugins/mysql/mysql_products.h"
#include "plugins/mysql/mysql_reader.h"
#include "plugins/mysql/mysql_replica.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "plugins/mysql/mysql_sums.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

error placed(error e, const std::string& place) {
  e.message = fmt::format("{}: {}", place, e.message);
  return e;
}

std::string name_of(const table_info& table) {
  return fmt::format("{}.{}", table.database, table.name);
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                  c == '$' || static_cast<unsigned char>(c) >= 0x80;
         });
}

/// Names that are expressions by themselves.
bool is_constant_name(std::string_view text) {
  constexpr auto names = std::to_array<std::string_view>(
      {"null", "true", "false", "current_date", "current_time", "current_timestamp", "current_user",
       "localtime", "localtimestamp", "utc_date", "utc_time", "utc_timestamp"});
  return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return same_name(n, text); });
}

/// Whether a column or the condition reads other tables.
bool reads_others(const read_part& part) {
  const auto selects = [](const std::string& sql) {
    const auto tokens = relational::tokens_of(sql, sql_rules());
    return std::any_of(tokens.begin(), tokens.end(),
                       [](const relational::sql_token& t) { return relational::is_word(t, "SELECT"); });
  };
  return selects(part.where) || std::any_of(part.expressions.begin(), part.expressions.end(), selects);
}

/// A stored function in the condition or an expression that may answer otherwise where rows are read by
/// parts; nothing where none is.
result<std::optional<std::string>> undetermined_call(connection& c, const std::string& where,
                                                     const std::vector<std::string>& expressions,
                                                     const stop_signal& stop) {
  std::string any;
  const auto add_calls = [&](const std::string& sql) {
    const auto tokens = relational::tokens_of(sql, sql_rules());
    const auto is_symbol = [&](std::size_t at, std::string_view symbol) {
      return at < tokens.size() && tokens[at].text == symbol;
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const relational::token_kind kind = tokens[i].kind;
      if (!is_symbol(i + 1, "(") ||
          (kind != relational::token_kind::word && kind != relational::token_kind::quoted_name)) {
        continue;
      }
      const bool qualified = i >= 2 && is_symbol(i - 1, ".");
      any += fmt::format(
          "{}(ROUTINE_SCHEMA = {} AND ROUTINE_NAME = {})", any.empty() ? "" : " OR ",
          qualified ? c.literal(relational::bare_name(tokens[i - 2].text, sql_rules())) : "DATABASE()",
          c.literal(relational::bare_name(tokens[i].text, sql_rules())));
    }
  };
  add_calls(where);
  for (const std::string& expression : expressions) {
    add_calls(expression);
  }
  if (any.empty()) {
    return std::optional<std::string>();
  }
  SLUICE_TRY(const auto rows, c.ask(fmt::format("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE "
                                                "ROUTINE_TYPE = 'FUNCTION' AND IS_DETERMINISTIC = 'NO' AND "
                                                "({}) ORDER BY 1 LIMIT 1",
                                                any),
                                    stop));
  return rows.empty() ? std::optional<std::string>()
                      : std::optional(fmt::format(
                            "the stored function {}, which is not declared DETERMINISTIC (\"splitPk\" would "
                            "split it all the same)",
                            rows[0].at(0).value_or("")));
}

/// A comment at the end of the job's own SQL ends with its line, before the parenthesis.
std::string in_parentheses(const std::string& sql) {
  const bool may_end_in_comment = sql.find("--") != std::string::npos || sql.find('#') != std::string::npos;
  return fmt::format("({}{})", sql, may_end_in_comment ? "\n" : "");
}

}  // namespace

std::string session_title(const plugin_context& context) {
  // `check` and `plan` are no runs.
  return session_title(context.job_name, context.run == run_id{} ? std::string() : context.run.text());
}

connection_plan plan_connection(const relational::connect_options& connect, session_role role,
                                const std::vector<placed_text>& session, const plugin_context& context) {
  connection_plan plan;
  plan.connect = connect;
  plan.role = role;
  plan.statements = session;
  plan.name = session_title(context);
  plan.resolve_secret = context.resolve_secret;
  plan.guard = context.guard;
  plan.locks = std::make_shared<relational::lock_watch>(context.warn);
  plan.tell = std::make_shared<relational::once_warner>(context.warn);
  return plan;
}

mysql_source::mysql_source(source_options options, option_values values, const plugin_context& context)
    : options_(std::move(options)),
      values_(std::move(values)),
      context_(context),
      planner_(options_, values_, context_),
      warn_(context_.warn) {
  for (const relational::database_part& end : options_.parts) {
    connections_.push_back(plan_connection(end.connect, session_role::look, options_.session, context_));
    connections_.back().tell = connections_.front().tell;
  }
}

result<connection*> mysql_source::connect(std::size_t end, const stop_signal& stop) {
  if (connection_ != nullptr && connection_->alive() && connected_to_ == end) {
    return connection_.get();
  }
  SLUICE_TRY(auto made, connection::open(connections_[end], stop));
  const std::lock_guard lock(interrupting_);
  connection_ = std::move(made);
  connected_to_ = end;
  return connection_.get();
}

result<source_description> mysql_source::open(const stop_signal& stop) {
  auto plan = std::make_shared<read_plan>();
  plan->zeros = options_.zeros;
  plan->invalid_text = options_.invalid_text;
  plan->name = session_title(context_);
  plan->connections = connections_;
  for (connection_plan& c : plan->connections) {
    c.role = session_role::read;
  }
  notes_.clear();
  untold_.clear();
  use_ = {{}, !options_.shares_snapshot};
  // Whoever has a hundred shards wants to know of all that are wrong at once.
  option_mistakes wrong;
  for (std::size_t end = 0; end < options_.parts.size(); ++end) {
    SLUICE_CHECK(describe_end(end, *plan, wrong, stop));
  }
  SLUICE_CHECK(wrong.all());
  if (plan->parts.empty()) {
    return values_.bad("table", "no table is named; set \"table\" or \"querySql\"");
  }
  source_description out;
  out.columns = plan->columns;
  out.connections = {.own = 1, .each_pipeline = 1};
  const bool one_table = plan->parts.size() == 1 && facts_ != nullptr;
  out.table = one_table ? facts_ : std::make_shared<const table_facts>(table_facts{std::string(product_)});
  const auto ordered = [](const read_part& p) { return !p.order.empty(); };
  out.repeatable = std::all_of(plan->parts.begin(), plan->parts.end(), ordered);
  out.resumable = out.repeatable;
  constexpr std::size_t statements_shown = 20;
  for (const read_part& part : plan->parts) {
    if (out.statements.size() < statements_shown) {
      out.statements.push_back(reading_sql(*plan, part, {}, std::nullopt));
    }
  }
  out.notes = notes_;
  if (options_.shares_snapshot) {
    SLUICE_CHECK(share_snapshot(*plan, out, stop));
  } else {
    out.notes.emplace_back(
        "Each split is one SELECT and a consistent snapshot (InnoDB); several splits are not taken at the "
        "same "
        "moment (\"snapshot\": \"none\").");
    if (!untold_.empty()) {
      out.notes.push_back(untold_);
    }
  }
  for (const read_part& part : plan->parts) {
    if (part.order.empty()) {
      out.notes.push_back(fmt::format(
          "{} is read without cursors, so that a split of it is read again whole after a failure: {}.",
          part.name,
          part.table.empty() ? "a querySql has no order of its own"
                             : "it has no unique NOT NULL key in whose order it is read for nothing"));
      break;
    }
  }
  for (std::string& note : planner_.notes(*plan)) {
    out.notes.push_back(std::move(note));
  }
  out.plans_at_once = true;
  plan_ = std::move(plan);
  return out;
}

result<void> mysql_source::share_snapshot(read_plan& plan, source_description& out, const stop_signal& stop) {
  std::vector<snapshot_end> ends;
  for (const connection_plan& c : plan.connections) {
    ends.push_back({c, {}, ""});
  }
  for (const read_part& part : plan.parts) {
    snapshot_end& end = ends[part.connection];
    if (!part.engine.empty() && part.engine != "InnoDB") {
      return values_.bad("snapshot",
                         fmt::format("found \"shared\", and table {} is of the engine {}, which has no "
                                     "snapshots; expected \"none\"",
                                     in_quotes(part.name), part.engine));
    }
    if (part.table.empty()) {
      end.no_lock = "what a querySql reads";
    } else if (reads_others(part)) {
      end.no_lock = "what a subquery reads";
    } else if (std::find(end.tables.begin(), end.tables.end(), part.table) == end.tables.end()) {
      end.tables.push_back(part.table);
    }
  }
  out.connections.own = 2;
  out.connections.each_pipeline = static_cast<std::uint32_t>(ends.size());
  out.notes.push_back(fmt::format(
      "All connections of {} read under one snapshot, until the last split is read (\"snapshot\": "
      "\"shared\"). "
      "It is "
      "begun without a lock where the server shows that nothing was committed meanwhile; else under LOCK "
      "TABLES "
      "… READ of the tables that are read, waited for 2 s at most and let go of as soon as all have begun.",
      ends.size() == 1 ? "the database" : "each database"));
  no_snapshot_.reset();
  for (std::size_t i = 0; i < ends.size(); ++i) {
    SLUICE_TRY(connection * c, connect(i, stop));
    SLUICE_TRY(const snapshot_prospect prospect, prospect_of(ends[i], *c, stop));
    if (!prospect.why_locked.empty() && !prospect.why_no_lock.empty()) {
      no_snapshot_ = no_snapshot(*c, fmt::format("{}, and {}", prospect.why_locked, prospect.why_no_lock));
    } else if (!prospect.why_no_lock.empty()) {
      out.notes.push_back(fmt::format("{}: where others commit while it begins it is refused: {}.",
                                      c->place(), prospect.why_no_lock));
    }
  }
  plan.snapshot = std::make_shared<shared_snapshot>(std::move(ends), context_.note);
  // It begins a little later, with the first reader.
  out.snapshot = {std::chrono::steady_clock::now(), options_.snapshot_age_max, values_.place("snapshotMax")};
  return {};
}

result<void> mysql_source::describe_end(std::size_t end, read_plan& plan, option_mistakes& wrong,
                                        const stop_signal& stop) {
  const relational::database_part& wanted = options_.parts[end];
  const auto connected = connect(end, stop);
  if (!connected && connected.error().kind == error_kind::bad_option) {
    wrong.check(connected);
    return {};
  }
  SLUICE_TRY(connection * c, connected);
  product_ = product_name(c->server());
  if (const other_product* other = c->server().other) {
    if (options_.shares_snapshot) {
      return values_.bad("snapshot", fmt::format("found \"shared\", and {} is {}, whose snapshots are not "
                                                 "shared; expected \"none\"",
                                                 c->place(), other->name));
    }
    notes_.push_back(
        fmt::format("{} says that it is {}, which speaks MySQL's protocol: nothing of MySQL's own is used "
                    "that it may lack (LOAD DATA, shared snapshots).",
                    c->place(), other->name));
  }
  if (std::string note = c->note_of_proxy(); !note.empty()) {
    notes_.push_back(std::move(note));
  }
  const relational::server_role role = wanted.connect.role;
  if (role == relational::server_role::standby || role == relational::server_role::prefer_standby) {
    SLUICE_TRY(auto note, note_of_replica(*c, stop));
    notes_.push_back(std::move(note));
  }
  // Of a part that cannot be read the others may be looked at all the same.
  const auto is_of_the_part = [](const error& e) {
    return e.kind == error_kind::bad_option || e.kind == error_kind::denied;
  };
  for (const placed_text& query : wanted.queries) {
    auto described = describe_query(*c, query, stop);
    if (!described) {
      if (!is_of_the_part(described.error())) {
        return fail(std::move(described).error());
      }
      wrong.check(described);
      continue;
    }
    described->part.connection = end;
    described->part.name = fmt::format("querySql[{}]", plan.parts.size());
    SLUICE_CHECK(take_part(std::move(*described), plan));
  }
  for (const placed_text& text : wanted.tables) {
    auto described = describe_shard(*c, end, text, plan, stop);
    if (!described && !is_of_the_part(described.error())) {
      return described;
    }
    wrong.check(described);
  }
  return {};
}

result<void> mysql_source::describe_shard(connection& c, std::size_t end, const placed_text& text,
                                          read_plan& plan, const stop_signal& stop) {
  const auto name = parse_table_name(text.text);
  if (!name) {
    return fail(error_kind::bad_option, "{}: found {}, expected a table as t, db.t or `db`.`t`", text.place,
                in_quotes(text.text));
  }
  SLUICE_TRY(const auto table, look_up_table(c, *name, stop));
  if (!table) {
    SLUICE_TRY(const auto lacks, missing_select(c, name->database, name->table, "", stop));
    if (lacks) {
      return fail(error_kind::denied, "{}: {}: {}", text.place, c.place(), *lacks);
    }
    SLUICE_TRY(const std::string what, describe_missing_table(c, *name, stop));
    return fail(error_kind::bad_option, "{}: {}: {}", text.place, c.place(), what);
  }
  SLUICE_TRY(auto identity, table_identity(c, table->database, table->name, stop));
  const bool twice = std::find(use_.tables.begin(), use_.tables.end(), identity) != use_.tables.end() ||
                     std::any_of(plan.parts.begin(), plan.parts.end(), [&](const read_part& part) {
                       return part.connection == end && part.table == table->quoted_name();
                     });
  if (twice) {
    return fail(error_kind::bad_option, "{}: table {} of {} is named twice; leave one out", text.place,
                in_quotes(name_of(*table)), c.place());
  }
  if (!identity.empty()) {
    use_.tables.push_back(std::move(identity));
  }
  SLUICE_TRY(described_part described, describe_table(c, *table, plan, stop));
  described.part.connection = end;
  described.part.place = text.place;
  return take_part(std::move(described), plan);
}

result<void> mysql_source::take_part(described_part described, read_plan& plan) {
  if (plan.columns == nullptr) {
    plan.columns = std::make_shared<const schema>(std::move(described.columns));
    plan.kinds = std::move(described.kinds);
    plan.parts.push_back(std::move(described.part));
    return {};
  }
  schema joined = *plan.columns;
  const std::string& first = plan.parts.front().name;
  if (joined.size() != described.columns.size()) {
    return fail(error_kind::bad_option, "{}: {} has {} columns and {} has {}; all parts must have the same",
                described.part.place, described.part.name, described.columns.size(), first, joined.size());
  }
  for (std::size_t i = 0; i < joined.size(); ++i) {
    auto kind = wider_kind(plan.kinds[i], described.kinds[i]);
    if (!kind) {
      return fail(
          error_kind::bad_option,
          "{}: column {} is {} in {} and {} in {}; read it with one expression of the same type, such "
          "as CAST(column AS CHAR)",
          described.part.place, in_quotes(joined[i].name), described.columns[i].source_type_name,
          described.part.name, joined[i].source_type_name, first);
    }
    joined[i].nullable = joined[i].nullable || described.columns[i].nullable;
    joined[i].type = read_type(*kind, options_.zeros == zero_date::text);
    joined[i].source_type_name = kind->name;
    plan.kinds[i] = std::move(*kind);
  }
  plan.columns = std::make_shared<const schema>(std::move(joined));
  plan.parts.push_back(std::move(described.part));
  return {};
}

result<mysql_source::described_part> mysql_source::describe_query(connection& c, const placed_text& query,
                                                                  const stop_signal& stop) {
  described_part out;
  out.part.place = query.place;
  out.part.values_place = query.place;
  out.part.query = query.text;
  auto columns = c.describe(query.text, stop);
  if (!columns) {
    if (columns.error().kind == error_kind::denied) {
      SLUICE_TRY(const std::string lacks, missing_selects(c, query.text, stop));
      if (!lacks.empty()) {
        return fail(error_kind::denied, "{}: {}: {}", query.place, c.place(), lacks);
      }
    }
    return fail(placed(std::move(columns).error(), query.place));
  }
  if (columns->empty() && relational::begins_with_word(query.text, "CALL", sql_rules())) {
    return fail(
        error_kind::not_supported,
        "{}: found {}; CALL is not supported: what columns a procedure returns is not known before it "
        "runs. Write the procedure's SELECT here, or have it fill a table before the run and read that",
        query.place, in_quotes(query.text));
  }
  if (columns->empty()) {
    return fail(error_kind::bad_option, "{}: {} returns no columns; expected a SELECT", query.place,
                in_quotes(query.text));
  }
  SLUICE_TRY(const auto moments, moment_warnings_of_query(c, query.text, stop));
  warn_(query.place, moments);
  std::string list;
  bool wraps = false;
  for (const result_column& column : *columns) {
    column_kind kind = kind_of(column);
    const std::string sent = sent_as(quote_name(column.name), kind, nullptr);
    wraps = wraps || sent != quote_name(column.name);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", sent);
    out.columns.push_back({column.name, read_type(kind, options_.zeros == zero_date::text), true, kind.name});
    out.kinds.push_back(std::move(kind));
  }
  if (wraps) {
    // The line break ends a comment behind the query.
    out.part.query = fmt::format("SELECT {} FROM ({}\n) AS sluice_query", list, query.text);
    if (auto again = c.describe(out.part.query, stop); !again) {
      return fail(
          error_kind::bad_option,
          "{}: a column of the query is a FLOAT, of which the server sends six digits only, or of "
          "bits, whose text is not clear; give each column a name of its own, or write it as `column * "
          "1e0` or `column + 0`",
          query.place);
    }
  }
  return out;
}

result<mysql_source::described_part> mysql_source::describe_table(connection& c, const table_info& table,
                                                                  const read_plan& before,
                                                                  const stop_signal& stop) {
  described_part out;
  out.part.name = name_of(table);
  out.part.table = table.quoted_name();
  out.part.engine = table.engine;
  if (table.type == table_type::table) {
    SLUICE_TRY(out.part.state, state_of(c, table.database, table.name, true, stop));
    if (out.part.state.storage.empty() && untold_.empty() && !options_.shares_snapshot) {
      SLUICE_TRY(untold_, note_of_untold_storage(c, name_of(table), stop));
    }
  }
  out.part.values_place = values_.place("column");
  out.part.where = options_.where.empty() ? "" : in_parentheses(options_.where);
  SLUICE_CHECK(add_columns(c, table, before, out, stop));
  SLUICE_CHECK(warn_of_moments(c, table, stop));
  out.part.database = table.database;
  out.part.table_bare = table.name;
  SLUICE_TRY(const auto joins, what_forbids_parts(c, out, stop));
  const bool asks = !joins && options_.split_pk.empty() && c.server().other == nullptr;
  SLUICE_TRY(const auto calls,
             asks ? undetermined_call(c, out.part.where, out.computed, stop) : std::optional<std::string>());
  SLUICE_CHECK(planner_.choose_key(c, table, asks ? calls : joins, out.part, stop));
  if (!joins) {
    SLUICE_TRY(const auto whole, read_table_of(c, table, stop));
    facts_ = relational::facts_of(whole, out.read);
    SLUICE_CHECK(choose_order(c, table, out, stop));
  }
  return out;
}

result<std::optional<std::string>> mysql_source::what_forbids_parts(connection& c, const described_part& part,
                                                                    const stop_signal& stop) const {
  relational::sql_rules rules = sql_rules();
  if (c.server().product == server_product::mariadb) {
    SLUICE_TRY(const auto oracle, c.ask("SELECT FIND_IN_SET('ORACLE', @@sql_mode) > 0", stop));
    rules.bare_rownum = !oracle.empty() && oracle[0].at(0) == "1";
  }
  if (auto what = relational::what_forbids_splitting(part.part.where, rules)) {
    return what;
  }
  for (const std::string& expression : part.part.expressions) {
    if (auto what = relational::what_forbids_splitting(expression, rules)) {
      return what;
    }
  }
  const auto probe = relational::aggregate_probe(part.computed, part.part.table, sql_rules());
  if (!probe) {
    return std::optional<std::string>();
  }
  auto rows = c.ask(*probe, stop);
  if (!rows) {
    return fail(placed(std::move(rows).error(), values_.place("column")));
  }
  return rows->empty() ? std::optional<std::string>()
                       : std::optional(relational::probed_aggregate(part.computed, sql_rules()));
}

result<void> mysql_source::add_columns(connection& c, const table_info& table, const read_plan& before,
                                       described_part& out, const stop_signal& stop) {
  const auto wanted = relational::with_own_star(options_.columns, table.database, table.name, sql_rules());
  const bool star = relational::is_star(wanted);
  const std::vector<std::string> names = star ? table.visible_names() : table.column_names();
  SLUICE_TRY(
      const auto entries,
      before.parts.empty()
          ? relational::column_entries(wanted, names, sql_rules())
          : relational::column_entries_behind(
                wanted, {in_quotes(before.parts.front().name), relational::column_names(*before.columns)},
                {fmt::format("{} in {}", in_quotes(out.part.name), c.place()), names}, sql_rules()));
  if (star) {
    if (std::string note = table.note_of_invisible("read"); !note.empty()) {
      notes_.push_back(std::move(note));
    }
    // The catalogue has only the columns that the account may see.
    SLUICE_TRY(const auto lacks, missing_select(c, table.database, table.name, "", stop));
    if (lacks) {
      return fail(error_kind::denied, "{}: {}", values_.place("column"), *lacks);
    }
  }
  for (const relational::column_entry& entry : entries) {
    if (!entry.column && is_plain_name(entry.text) && !is_constant_name(entry.text)) {
      SLUICE_TRY(const auto lacks, missing_select(c, table.database, table.name, entry.text, stop));
      if (lacks) {
        return fail(error_kind::denied, "{}: {}", entry.place, *lacks);
      }
      return fail(error_kind::bad_option, "{}: table {} has no column {}{}", entry.place,
                  in_quotes(table.name), in_quotes(entry.text), relational::near_column(entry.text, names));
    }
    out.part.expressions.push_back(entry.column ? quote_name(names[*entry.column])
                                                : in_parentheses(entry.text));
  }
  std::string sql = fmt::format("SELECT {} FROM {}", fmt::join(out.part.expressions, ", "), out.part.table);
  sql += out.part.where.empty() ? "" : " WHERE " + out.part.where;
  auto described = c.describe(sql, stop);
  if (!described) {
    return name_bad_entry(c, out, entries, std::move(described).error(), stop);
  }
  if (described->size() != entries.size()) {
    return values_.bad("column", relational::other_columns_text(entries.size(), described->size()));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const table_column* plain = entries[i].column ? table.find(names[*entries[i].column]) : nullptr;
    column_kind kind = plain != nullptr ? plain->kind : kind_of((*described)[i]);
    if (plain == nullptr) {
      out.computed.push_back(entries[i].text);
    }
    if (auto note = relational::entry_note(i, entries[i], table.name)) {
      notes_.push_back(std::move(*note));
    }
    out.read.push_back(plain != nullptr ? plain->name : std::string());
    out.part.own_columns.push_back(
        plain != nullptr ? std::optional(own_column{out.part.expressions[i], plain->charset}) : std::nullopt);
    const std::string sent =
        sent_as(out.part.expressions[i], kind, plain != nullptr ? &plain->charset : nullptr);
    out.part.described.push_back(
        plain != nullptr && sent == out.part.expressions[i] ? std::optional((*described)[i]) : std::nullopt);
    out.part.expressions[i] = sent;
    out.kinds.push_back(kind);
    out.columns.push_back({entries[i].alias.empty() ? out.read.back() : entries[i].alias,
                           read_type(kind, options_.zeros == zero_date::text),
                           plain == nullptr || !plain->not_null ||
                               (options_.zeros == zero_date::null && may_be_zero_date(kind)),
                           kind.name});
  }
  return {};
}

result<void> mysql_source::warn_of_moments(connection& c, const table_info& table, const stop_signal& stop) {
  const std::vector<std::string> moments = moments_of(table);
  if (moments.empty()) {
    return {};
  }
  SLUICE_TRY(const auto of_where, moment_warnings(c, options_.where, moment_text::condition, moments, stop));
  warn_(options_.where_place, of_where);
  for (const placed_text& entry : options_.columns) {
    SLUICE_TRY(const auto of_entry, moment_warnings(c, entry.text, moment_text::list, moments, stop));
    warn_(entry.place, of_entry);
  }
  return {};
}

result<void> mysql_source::name_bad_entry(connection& c, const described_part& part,
                                          const std::vector<relational::column_entry>& entries, error why,
                                          const stop_signal& stop) {
  if (is_lost(why)) {
    return fail(std::move(why));
  }
  const std::string from = fmt::format("FROM {}", part.part.table);
  if (!options_.where.empty() &&
      !c.describe(fmt::format("SELECT 1 {} WHERE {}", from, in_parentheses(options_.where)), stop)) {
    return fail(placed(std::move(why), options_.where_place));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (auto one = c.describe(fmt::format("SELECT {} {}", part.part.expressions[i], from), stop); !one) {
      return fail(relational::refused_entry(std::move(one).error(), entries[i].column ? "" : entries[i].text,
                                            entries[i].place, sql_rules()));
    }
  }
  return fail(placed(std::move(why), values_.place("column")));
}

result<void> mysql_source::choose_order(connection& c, const table_info& table, described_part& out,
                                        const stop_signal& stop) {
  const table_key* key = table.type == table_type::table ? table.total_order() : nullptr;
  if (key == nullptr) {
    return {};
  }
  std::vector<std::string> names = key->columns;
  const std::string split = out.part.split_key.empty() ? names[0] : out.part.split_key[0].bare;
  if (!same_name(split, names[0])) {
    if (out.part.split_index.empty()) {
      return {};
    }
    names.erase(std::remove(names.begin(), names.end(), split), names.end());
    names.insert(names.begin(), split);
  }
  std::vector<order_column> order;
  for (const std::string& name : names) {
    const table_column* column = table.find(name);
    order_column o{quote_name(column->name), column->name, column->kind, std::nullopt};
    const auto selected = std::find(out.part.expressions.begin(), out.part.expressions.end(), o.name);
    if (selected != out.part.expressions.end()) {
      o.selected = static_cast<std::size_t>(selected - out.part.expressions.begin());
    }
    order.push_back(std::move(o));
  }
  // delivery.md: reading in key order must not change the access path. Sorting the rows would.
  read_part trial = out.part;
  trial.order = order;
  read_plan nothing;
  SLUICE_TRY(const auto path, c.ask("EXPLAIN " + reading_sql(nothing, trial, {}, std::nullopt), stop));
  const bool sorts = std::any_of(path.begin(), path.end(), [](const relational::sql_row& row) {
    return !row.empty() && row.back() && row.back()->find("filesort") != std::string::npos;
  });
  if (!sorts) {
    out.part.order = std::move(order);
  }
  return {};
}

result<std::vector<split>> mysql_source::plan_splits(std::uint32_t advice, const stop_signal& stop) {
  const std::vector<std::uint32_t> ranges = planner_.ranges_of_each(*plan_, advice);
  std::vector<split> out;
  for (std::size_t i = 0; i < plan_->parts.size(); ++i) {
    const read_part& part = plan_->parts[i];
    if (ranges[i] <= 1 || part.split_key.empty()) {
      out.push_back({{{"part", {static_cast<std::int64_t>(i)}}, {"name", {part.name}}},
                     part.name,
                     std::nullopt,
                     std::nullopt});
      continue;
    }
    SLUICE_TRY(connection * c, connect(part.connection, stop));
    SLUICE_TRY(auto splits,
               planner_.splits_of(*c, part, {{"part", {static_cast<std::int64_t>(i)}}, {"name", {part.name}}},
                                  ranges[i], stop));
    std::move(splits.begin(), splits.end(), std::back_inserter(out));
  }
  if (no_snapshot_ && advice > 1 && out.size() > 1) {
    return fail(placed(*no_snapshot_, values_.place("snapshot")));
  }
  return out;
}

result<void> mysql_source::take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) {
  (void)stop;
  for (const frozen_split& s : splits) {
    if (!s.done) {
      SLUICE_CHECK(part_of(*plan_, s.description));
    }
  }
  return {};
}

std::string mysql_source::statement_of(const scalar_list& split_description, bool resumed) const {
  if (plan_ == nullptr) {
    return {};
  }
  const auto part = part_of(*plan_, split_description);
  if (!part) {
    return {};
  }
  std::optional<std::vector<std::string>> after;
  if (resumed && !(*part)->order.empty()) {
    after.emplace((*part)->order.size(), "?");
  }
  return reading_sql(*plan_, **part, split_description, after);
}

result<std::vector<sql_column>> mysql_source::summable_columns() const {
  const auto refused = [](const std::string& why) { return fail(error_kind::not_supported, "{}", why); };
  if (options_.queries) {
    return refused("a querySql is read");
  }
  if (plan_->parts.size() != 1) {
    return refused("several tables are read");
  }
  if (const server_info& server = connection_->server(); server.product == server_product::other) {
    return refused(fmt::format("{} only speaks MySQL's protocol", connection_->place()));
  }
  std::vector<sql_column> out;
  for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
    const auto& own = plan_->parts[0].own_columns[i];
    const std::string set = own && !own->charset.empty() ? fmt::format(" ({})", own->charset) : "";
    out.push_back({own ? sql_forms_of(plan_->kinds[i], own->charset) : std::vector<sql_form>(),
                   own ? plan_->kinds[i].name + set : std::string("an expression"),
                   own && has_ranges(plan_->kinds[i])});
  }
  return out;
}

result<database_sums> mysql_source::sum_records(const std::vector<summed_column>& columns,
                                                const stop_signal& stop) {
  const read_part& part = plan_->parts.at(0);
  SLUICE_TRY(connection * c, connect(part.connection, stop));
  return sum_part(*c, *plan_, part, columns, stop);
}

result<key_span> mysql_source::span_of(std::size_t column, const stop_signal& stop) {
  const read_part& part = plan_->parts.at(0);
  SLUICE_TRY(connection * c, connect(part.connection, stop));
  return span_of_part(*c, *plan_, part, column, stop);
}

result<std::vector<range_sums>> mysql_source::sum_ranges(const std::vector<summed_column>& columns,
                                                         std::size_t column,
                                                         const std::vector<key_range>& ranges,
                                                         const stop_signal& stop) {
  const read_part& part = plan_->parts.at(0);
  SLUICE_TRY(connection * c, connect(part.connection, stop));
  return sum_ranges_of(*c, *plan_, part, columns, {column, ranges}, stop);
}

std::string mysql_source::condition_of(std::size_t column, const std::vector<key_range>& ranges) const {
  return relational::condition_sql(plan_->parts.at(0).own_columns[column]->sql, ranges);
}

result<std::unique_ptr<reader>> mysql_source::make_reader() {
  if (plan_->snapshot != nullptr) {
    plan_->snapshot->expect_reader();
  }
  return std::make_unique<mysql_reader>(plan_);
}

result<void> mysql_source::check_unchanged(const stop_signal& stop) {
  if (plan_ != nullptr && plan_->snapshot != nullptr) {
    plan_->snapshot->end(stop);
  }
  return {};
}

void mysql_source::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::mysql
