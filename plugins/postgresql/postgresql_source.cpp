#include "plugins/postgresql/postgresql_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/session_place.h"
#include "plugins/common/relational/sql_sums.h"
#include "plugins/postgresql/postgresql_moments.h"
#include "plugins/postgresql/postgresql_own.h"
#include "plugins/postgresql/postgresql_reader.h"
#include "plugins/postgresql/postgresql_rights.h"
#include "plugins/postgresql/postgresql_splits.h"
#include "plugins/postgresql/postgresql_sums.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

error placed(error e, const std::string& place) {
  e.message = fmt::format("{}: {}", place, e.message);
  return e;
}

bool is_whole_number(wire_form form) {
  return form == wire_form::int2 || form == wire_form::int4 || form == wire_form::int8;
}

/// `of_table`: what the only table read says; nullptr where it is anything else.
std::shared_ptr<const table_facts> with_types(const table_facts* of_table, const schema& columns) {
  table_facts facts = of_table == nullptr ? table_facts() : *of_table;
  facts.product = product_name;
  facts.columns.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (facts.columns[i].own_type.empty()) {
      facts.columns[i].own_type = columns[i].source_type_name;
    }
  }
  return std::make_shared<const table_facts>(std::move(facts));
}

/// Whether others may be looked at all the same, so that the user is told of all at once.
bool is_of_the_part(const error& e) {
  return e.kind == error_kind::bad_option || e.kind == error_kind::denied;
}

}  // namespace

postgresql_source::postgresql_source(source_options options, option_values values,
                                     const plugin_context& context)
    : values_(std::move(values)),
      options_(std::move(options)),
      planner_(options_, values_, context),
      zone_(context.zone) {
  const auto locks = std::make_shared<relational::lock_watch>(context.warn);
  const auto warn = std::make_shared<relational::once_warner>(context.warn);
  for (const relational::database_part& part : options_.parts) {
    sessions_.push_back({part.connect, options_.session, context.job_name, context.run.text(),
                         context.resolve_secret, locks, warn});
  }
  connections_.resize(sessions_.size());
}

result<void> postgresql_source::connect_once(std::size_t part, const stop_signal& stop) {
  auto& held = connections_[part];
  if (held != nullptr && !held->is_lost()) {
    held->use_stop(stop);
    held->rollback();
    held->clear_interrupt();
    return {};
  }
  auto made = open_session(sessions_[part], session_role::source, "source", stop);
  if (!made) {
    return fail(relational::with_place_of_connection(std::move(made).error(), sessions_[part].options.place,
                                                     options_.session));
  }
  SLUICE_CHECK(check_product(**made));
  const std::lock_guard lock(interrupting_);
  held = std::move(*made);
  sessions_[part].product = held->product();
  return {};
}

result<void> postgresql_source::check_product(const connection& c) const {
  const auto refused = [&](const char* option, std::string_view found) {
    return fail(error_kind::not_supported,
                "{}: found \"{}\", but {} says that it is {}, of which no snapshot is shared by connections; "
                "leave it out",
                values_.place(option), found, c.place(), in_quotes(c.product().says));
  };
  if (c.is_plain() && options_.snapshot == snapshot_mode::shared && values_.has("snapshot")) {
    return refused("snapshot", "shared");
  }
  if (c.is_plain() && options_.split == relational::split_mode::blocks) {
    return refused("splitMode", "ctid");
  }
  return {};
}

result<source_description> postgresql_source::open(const stop_signal& stop) {
  auto plan = std::make_shared<read_plan>();
  plan->invalid_text = options_.invalid_text;
  plan->where = options_.queries ? std::string() : options_.where;
  source_description out;
  notes_.clear();
  use_ = {};
  // Whoever has a hundred shards wants to know of all databases and tables that are missing at once.
  option_mistakes wrong;
  std::vector<bool> connected;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const auto done = connect_once(i, stop);
    if (!done && done.error().kind != error_kind::bad_option) {
      return fail(done.error());
    }
    connected.push_back(wrong.check(done));
    if (!done) {
      plan->parts.push_back({sessions_[i], false, ""});
      continue;
    }
    const relational::server_role role = sessions_[i].options.role;
    if (role == relational::server_role::standby || role == relational::server_role::prefer_standby) {
      SLUICE_TRY(const auto state, replica_state_of(*connections_[i]));
      out.notes.push_back(relational::replica_note(connections_[i]->place(), state));
    }
    plan->parts.push_back({sessions_[i], connections_[i]->parameter("server_encoding") == "SQL_ASCII", ""});
  }
  SLUICE_CHECK(describe_relations(connected, wrong, *plan));
  for (relation_plan& r : plan->relations) {
    if (auto looked = planner_.look(of(r), *plan, r); !looked) {
      return fail(with_place_of_values(std::move(looked).error(), r));
    }
  }
  snapshot_since_ = std::chrono::steady_clock::time_point::max();
  bool all_share = true;
  bool some_share = false;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    all_share = all_share && shares_snapshot(i);
    some_share = some_share || shares_snapshot(i);
    SLUICE_CHECK(begin_snapshot(i, *plan));
    if (const connection& c = *connections_[i]; c.is_plain()) {
      out.notes.push_back(fmt::format("{}: {}", c.place(), reading_plainly(c.product())));
    }
  }
  use_.changing = !all_share;

  for (std::size_t i = 0; i < plan->kinds.size(); ++i) {
    plan->carried.push_back({i, 1, false});
  }
  out.columns = plan->columns;
  bool all_ordered = true;
  for (const relation_plan& r : plan->relations) {
    out.statements.push_back(reading_sql(*plan, r, {}, nullptr));
    all_ordered = all_ordered && r.ordered;
  }
  out.table = with_types(plan->relations.size() == 1 ? facts_.get() : nullptr, *plan->columns);
  out.connections = {.own = static_cast<std::uint32_t>(sessions_.size()), .each_pipeline = 1};
  out.repeatable = all_ordered;
  out.resumable = all_ordered;
  out.plans_at_once = true;
  if (some_share) {
    out.snapshot = {snapshot_since_, options_.snapshot_age_max, values_.place("snapshotMax")};
  }
  if (some_share) {
    out.notes.emplace_back(
        "All connections of a database read under one snapshot, which this run holds until its end.");
  } else if (options_.snapshot == snapshot_mode::none) {
    out.notes.emplace_back(
        "Each split is read in a snapshot of its own (\"snapshot\": \"none\"): several are not taken at the "
        "same moment.");
  }
  if (!all_ordered) {
    out.notes.emplace_back(
        options_.queries
            ? "A querySql is one split and cannot resume inside it."
            : "Reading in the order of a key is not possible, or would cost the server more than the "
              "scan: a split is committed whole and cannot resume inside.");
  }
  out.notes.insert(out.notes.end(), notes_.begin(), notes_.end());
  for (std::string& note : planner_.notes(*plan)) {
    out.notes.push_back(std::move(note));
  }
  plan_ = std::move(plan);
  return out;
}

result<void> postgresql_source::begin_snapshot(std::size_t part, read_plan& plan) {
  if (!shares_snapshot(part)) {
    return {};
  }
  connection& c = *connections_[part];
  SLUICE_CHECK(c.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  snapshot_since_ = std::min(snapshot_since_, std::chrono::steady_clock::now());
  SLUICE_TRY(const auto exported, c.ask("SELECT pg_catalog.pg_export_snapshot()"));
  plan.parts[part].snapshot = exported.at(0).at(0).value_or("");
  return {};
}

result<void> postgresql_source::describe_relations(const std::vector<bool>& connected, option_mistakes& wrong,
                                                   read_plan& plan) {
  for (std::size_t part = 0; part < options_.parts.size(); ++part) {
    for (const auto& query : options_.parts[part].queries) {
      const auto described = connected[part] ? describe_query(query, part, plan) : result<void>();
      if (!described && !is_of_the_part(described.error())) {
        return described;
      }
      wrong.check(described);
    }
  }
  for (std::size_t part = 0; part < options_.parts.size(); ++part) {
    if (!connected[part]) {
      continue;
    }
    for (const auto& table : options_.parts[part].tables) {
      auto described = describe_table(table, part, plan);
      if (!described && !is_of_the_part(described.error())) {
        return described;
      }
      wrong.check(described);
    }
  }
  return wrong.all();
}

result<void> postgresql_source::describe_query(const relational::placed_text& query, std::size_t part,
                                               read_plan& plan) {
  relation_plan relation;
  relation.part = part;
  relation.name = fmt::format("query {}", plan.relations.size() + 1);
  relation.shown = "querySql";
  relation.values_place = query.place;
  auto described = of(relation).describe(query.text);
  if (!described) {
    return fail(placed(std::move(described).error(), query.place));
  }
  if (described->empty()) {
    return fail(error_kind::bad_option, "{}: {} returns no columns; expected a SELECT", query.place,
                in_quotes(query.text));
  }
  // Names may be missing or the same twice, so the columns get their own.
  std::string aliases;
  std::vector<column_sql> expressions;
  for (std::size_t i = 0; i < described->size(); ++i) {
    const std::string& name = (*described)[i].name;
    expressions.push_back({fmt::format("c{}", i + 1), name == "?column?" ? "" : name, query.place});
    aliases += (i == 0 ? "" : ", ") + expressions.back().sql;
  }
  relation.from = fmt::format("({}\n) AS sluice_query({})", query.text, aliases);
  SLUICE_CHECK(describe_columns(query.place, expressions, relation, plan));
  if (auto may = check_query_rights(of(relation), relation.from, query.text); !may) {
    return fail(placed(std::move(may).error(), query.place));
  }
  SLUICE_TRY(const auto moments, remark_on_moments_of_query(of(relation), query.text, zone_.get()));
  tell_of_moments(query.place, moments, part);
  plan.relations.push_back(std::move(relation));
  return {};
}

result<void> postgresql_source::describe_table(const relational::placed_text& wanted, std::size_t part,
                                               read_plan& plan) {
  relation_plan relation;
  relation.part = part;
  connection& c = of(relation);
  const auto name = parse_table_name(wanted.text);
  if (!name) {
    return fail(error_kind::bad_option, "{}: found {}, expected a table as `orders`, `shop.orders` or quoted",
                wanted.place, in_quotes(wanted.text));
  }
  auto table = look_up_table(c, *name);
  if (!table) {
    return fail(placed(std::move(table).error(), wanted.place));
  }
  if (!*table) {
    return fail(placed(missing_table(c, *name), wanted.place));
  }
  const table_info& info = **table;
  relation.name = info.quoted_name();
  relation.shown = name->schema.empty() ? info.name : info.schema + "." + info.name;
  relation.from = info.quoted_name();
  relation.values_place = wanted.place;
  relation.oid = info.oid;
  SLUICE_TRY(auto identities, table_identities(c, info.oid));
  const auto is_named = [this](const std::string& identity) {
    return std::find(use_.tables.begin(), use_.tables.end(), identity) != use_.tables.end();
  };
  if (std::any_of(identities.begin(), identities.end(), is_named)) {
    return fail(error_kind::bad_option, "{}: table {} of {} {}; leave one out", wanted.place, relation.from,
                c.place(), is_named(identities.front()) ? "is named twice" : "has a part that is named, too");
  }
  std::move(identities.begin(), identities.end(), std::back_inserter(use_.tables));
  if (!c.is_plain()) {
    SLUICE_TRY(relation.storage, storage_of(c, fmt::to_string(info.oid), relation.from));
  }
  SLUICE_TRY(const auto expressions, column_expressions(info, relation, plan));
  std::vector<std::string> read;
  std::vector<std::string> names;
  for (const column_sql& e : expressions) {
    read.push_back(e.own);
    relation.own_columns.push_back(e.own.empty() ? std::string() : quote_name(e.own));
    if (!e.own.empty()) {
      names.push_back(e.own);
    }
  }
  if (auto may = check_reading_rights(c, info.oid, relation.from, names); !may) {
    return fail(placed(std::move(may).error(), wanted.place));
  }
  SLUICE_CHECK(describe_columns(values_.place("column"), expressions, relation, plan));
  SLUICE_CHECK(look_at_moments(info, part));
  // A value that the catalogue does not name is computed.
  const bool computes =
      std::any_of(expressions.begin(), expressions.end(), [](const column_sql& e) { return e.own.empty(); });
  if (computes) {
    relation.values_place = values_.place("column");
  }
  if (!options_.where.empty()) {
    relation.values_place = computes ? fmt::format("{} or {}", relation.values_place, options_.where_place)
                                     : options_.where_place;
    const std::string sql = fmt::format("SELECT 1 FROM {} WHERE ({}\n)", relation.from, options_.where);
    if (auto checked = c.describe(sql); !checked) {
      return fail(placed(std::move(checked).error(), options_.where_place));
    }
  }
  SLUICE_TRY(const auto joins, what_joins_rows(expressions, relation));
  if (!joins && plan.relations.empty()) {
    SLUICE_TRY(const auto whole, read_table_of(c, info));
    facts_ = relational::facts_of(whole, read);
  }
  if (!joins) {
    choose_key(info, expressions, relation, plan);
  }
  std::vector<std::string> texts = {options_.where};
  for (const column_sql& e : expressions) {
    texts.push_back(e.text);
  }
  SLUICE_TRY(const auto calls, volatile_call(c, texts, options_.session));
  SLUICE_CHECK(planner_.choose_key(c, info, joins, calls, relation));
  plan.relations.push_back(std::move(relation));
  return {};
}

void postgresql_source::tell_of_moments(const std::string& place, const moment_remark& said,
                                        std::size_t part) {
  if (said.warning) {
    (*sessions_[part].warn)(place, {said.text});
  } else if (!said.text.empty()) {
    std::string note = fmt::format("{}: {}.", place, said.text);
    if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) {
      notes_.push_back(std::move(note));
    }
  }
}

result<void> postgresql_source::look_at_moments(const table_info& table, std::size_t part) {
  const std::vector<std::string> moments = moments_of(table);
  if (moments.empty()) {
    return {};
  }
  connection& c = *connections_[part];
  SLUICE_TRY(const auto of_where,
             remark_on_moments(c, options_.where, moment_text::condition, moments, zone_.get()));
  tell_of_moments(options_.where_place, of_where, part);
  for (const relational::placed_text& entry : options_.columns) {
    SLUICE_TRY(const auto of_entry,
               remark_on_moments(c, entry.text, moment_text::list, moments, zone_.get()));
    tell_of_moments(entry.place, of_entry, part);
  }
  return {};
}

result<std::optional<std::string>> postgresql_source::what_joins_rows(
    const std::vector<column_sql>& expressions, const relation_plan& relation) {
  for (const column_sql& e : expressions) {
    if (auto what = relational::what_forbids_splitting(e.text, sql_rules())) {
      return what;
    }
  }
  if (auto what = relational::what_forbids_splitting(options_.where, sql_rules())) {
    return what;
  }
  std::vector<std::string> computed;
  for (const column_sql& e : expressions) {
    if (e.own.empty()) {
      computed.push_back(e.text);
    }
  }
  if (const auto probe = relational::aggregate_probe(computed, relation.from, sql_rules())) {
    auto rows = of(relation).ask(*probe);
    if (!rows) {
      return fail(placed(std::move(rows).error(), values_.place("column")));
    }
    if (!rows->empty()) {
      return std::optional(relational::probed_aggregate(computed, sql_rules()));
    }
  }
  return std::optional<std::string>();
}

result<std::vector<postgresql_source::column_sql>> postgresql_source::column_expressions(
    const table_info& table, const relation_plan& relation, const read_plan& plan) {
  std::vector<relational::placed_text> entries =
      relational::with_own_star(options_.columns, table.schema, table.name, sql_rules());
  if (options_.all_columns) {
    entries = {{"*", values_.place("column")}};
  }
  SLUICE_TRY(
      const auto found,
      plan.relations.empty()
          ? relational::column_entries(entries, table.column_names(), sql_rules())
          : relational::column_entries_behind(
                entries, {in_quotes(plan.relations.front().shown), relational::column_names(*plan.columns)},
                {fmt::format("{} in {}", in_quotes(relation.shown), of(relation).place()),
                 table.column_names()},
                sql_rules()));
  std::vector<column_sql> expressions;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const relational::column_entry& entry = found[i];
    if (entry.column) {
      const table_column& c = table.columns[*entry.column];
      expressions.push_back({quote_name(c.name), entry.alias.empty() ? c.name : entry.alias, entry.place,
                             c.never_null, c.name, ""});
    } else {
      expressions.push_back(
          {fmt::format("({}\n)", entry.text), entry.alias, entry.place, false, "", entry.text});
    }
    if (auto note = relational::entry_note(i, entry, table.name); note && plan.relations.empty()) {
      notes_.push_back(std::move(*note));
    }
  }
  if (expressions.empty()) {
    return values_.bad("column", fmt::format("table {} has no columns", in_quotes(table.name)));
  }
  return expressions;
}

error postgresql_source::wrong_column(const std::vector<column_sql>& expressions,
                                      const relation_plan& relation, error whole) {
  if (whole.kind != error_kind::bad_option) {
    return whole;
  }
  for (const column_sql& e : expressions) {
    if (auto one = of(relation).describe(fmt::format("SELECT {} FROM {}", e.sql, relation.from)); !one) {
      return relational::refused_entry(std::move(one).error(), e.text, e.place, sql_rules());
    }
  }
  return whole;
}

result<void> postgresql_source::widen_types(connection& c, const std::string& place,
                                            const std::vector<server_type>& types,
                                            const relation_plan& relation, const read_plan& plan) {
  std::vector<described_column> wider;
  bool differs = false;
  std::string others;
  for (std::size_t i = 0; i < std::max(types.size(), types_.size()); ++i) {
    const bool both = i < types.size() && i < types_.size();
    const bool same = both && types[i].name == types_[i].name;
    const auto modifier = both && !same && types[i].oid == types_[i].oid
                              ? wider_modifier(types[i].oid, types[i].modifier, types_[i].modifier)
                              : std::nullopt;
    if (!same && !modifier) {
      const std::string name = i < types_.size() ? (*plan.columns)[i].name : std::string();
      others += fmt::format("{}column {}{} is {} here and {} there", others.empty() ? "" : ", ", i + 1,
                            name.empty() ? "" : fmt::format(" ({})", in_quotes(name)),
                            i < types.size() ? types[i].name : "missing",
                            i < types_.size() ? types_[i].name : "missing");
      continue;
    }
    wider.push_back({"", types[i].oid, modifier.value_or(types[i].modifier)});
    differs = differs || !same;
  }
  if (!others.empty()) {
    const relation_plan& first = plan.relations.front();
    return options_.queries
               ? fail(error_kind::bad_option,
                      "{}: this query returns other types than {}: {}; cast them to the same type in one of "
                      "the two",
                      place, first.values_place, others)
               : fail(error_kind::bad_option,
                      "{}: the columns of {} in {} have other types than those of {} in {}: {}; cast them to "
                      "the same type in \"column\"",
                      place, in_quotes(relation.shown), c.place(), in_quotes(first.shown), of(first).place(),
                      others);
  }
  if (differs) {
    SLUICE_TRY(types_, name_types(c, wider));
  }
  return {};
}

result<void> postgresql_source::describe_columns(const std::string& place,
                                                 const std::vector<column_sql>& expressions,
                                                 relation_plan& relation, read_plan& plan) {
  connection& c = of(relation);
  std::string list;
  for (const column_sql& e : expressions) {
    list += (list.empty() ? "" : ", ") + e.sql;
  }
  relation.described_sql = fmt::format("SELECT {} FROM {}", list, relation.from);
  auto described = c.describe(relation.described_sql);
  if (!described) {
    return fail(wrong_column(expressions, relation, placed(std::move(described).error(), place)));
  }
  if (described->size() != expressions.size()) {
    return fail(error_kind::bad_option, "{}: {}", place,
                relational::other_columns_text(expressions.size(), described->size()));
  }
  relation.described = *described;
  SLUICE_TRY(const auto types, name_types(c, *described));
  if (plan.relations.empty()) {
    types_ = types;
  }
  SLUICE_CHECK(widen_types(c, place, types, relation, plan));
  unsigned digits = 0;
  std::vector<column_type> kinds;
  auto columns = std::make_shared<schema>();
  for (std::size_t i = 0; i < types.size(); ++i) {
    column_type kind = kind_at(c, types_[i], digits);
    if (kind.form == wire_form::money && digits == 0) {
      SLUICE_TRY(digits, money_digits(c));
      kind = kind_at(c, types_[i], digits);
    }
    const column_sql& e = expressions[i];
    relation.expressions.push_back(kind.form == wire_form::as_text ? text_sql(e.sql, types_[i]) : e.sql);
    columns->push_back({e.name, kind.type, !e.never_null, types_[i].name});
    // Texts of a server that does not vouch for them are looked at.
    const bool any_checked =
        std::any_of(plan.parts.begin(), plan.parts.end(), [](const part_plan& p) { return p.check_utf8; });
    columns->back().own_form =
        any_checked || kind.form == wire_form::as_text ? std::string() : own_form_of(types_[i]);
    kinds.push_back(kind);
  }
  plan.kinds = std::move(kinds);
  for (std::size_t i = 0; i < columns->size() && !plan.relations.empty(); ++i) {
    (*columns)[i].nullable = (*columns)[i].nullable || (*plan.columns)[i].nullable;
    (*columns)[i].name = (*plan.columns)[i].name;
  }
  plan.columns = std::move(columns);
  return {};
}

void postgresql_source::choose_key(const table_info& table, const std::vector<column_sql>& expressions,
                                   relation_plan& relation, const read_plan& plan) const {
  const unique_key* key = table.order_key();
  if (key == nullptr) {
    return;
  }
  std::size_t behind = plan.kinds.size();
  for (const std::string& name : key->columns) {
    const table_column* column = table.named(name);
    key_column k{column->name, quote_name(column->name), column->type.name,
                 is_whole_number(column->kind.form), 0};
    const auto at = std::find_if(expressions.begin(), expressions.end(),
                                 [&](const column_sql& e) { return e.sql == k.sql; });
    const auto index = static_cast<std::size_t>(at - expressions.begin());
    const bool as_it_is =
        at != expressions.end() && (k.whole_number || plan.kinds[index].form == wire_form::text);
    k.field = as_it_is ? index : behind++;
    relation.key.push_back(std::move(k));
  }
}

result<std::vector<split>> postgresql_source::plan_splits(std::uint32_t advice, const stop_signal& stop) {
  for (const auto& c : connections_) {
    c->use_stop(stop);
  }
  const std::vector<std::uint32_t> ranges = planner_.ranges_of_each(*plan_, advice);
  std::vector<split> splits;
  for (std::size_t i = 0; i < plan_->relations.size(); ++i) {
    const relation_plan& r = plan_->relations[i];
    SLUICE_TRY(auto made, planner_.splits_of(of(r), *plan_, r, ranges[i]));
    std::move(made.begin(), made.end(), std::back_inserter(splits));
  }
  return splits;
}

result<void> postgresql_source::take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) {
  (void)stop;
  for (const frozen_split& s : splits) {
    if (!s.done) {
      SLUICE_CHECK(relation_to_read(*plan_, s.description));
    }
  }
  return check_blocks_are_whole(splits);
}

std::string postgresql_source::statement_of(const scalar_list& split_description, bool resumed) const {
  const relation_plan* relation = plan_ == nullptr ? nullptr : plan_->relation_of(split_description);
  if (relation == nullptr) {
    return {};
  }
  cursor anywhere;
  for (const key_column& k : relation->key) {
    anywhere.push_back({k.name, {std::string("?")}});
  }
  return reading_sql(*plan_, *relation, split_description,
                     resumed && !anywhere.empty() ? &anywhere : nullptr);
}

result<schema_ptr> postgresql_source::carry_own(const std::vector<bool>& marked) {
  auto plan = std::make_shared<read_plan>(*plan_);
  plan->carried.clear();
  auto columns = std::make_shared<schema>();
  for (std::size_t i = 0; i < marked.size();) {
    std::size_t last = i + 1;
    if (!marked[i]) {
      columns->push_back((*plan->columns)[i]);
    } else {
      while (last < marked.size() && marked[last]) {
        ++last;
      }
      columns->push_back(own_field({plan->columns->begin() + static_cast<std::ptrdiff_t>(i),
                                    plan->columns->begin() + static_cast<std::ptrdiff_t>(last)},
                                   {plan->kinds.begin() + static_cast<std::ptrdiff_t>(i),
                                    plan->kinds.begin() + static_cast<std::ptrdiff_t>(last)}));
    }
    plan->carried.push_back({i, last - i, marked[i]});
    i = last;
  }
  plan_ = std::move(plan);
  return schema_ptr(std::move(columns));
}

result<void> postgresql_source::check_unchanged(const stop_signal& stop) {
  (void)stop;
  for (const auto& c : connections_) {
    if (c != nullptr) {
      c->rollback();
    }
  }
  return {};
}

result<std::vector<sql_column>> postgresql_source::summable_columns() const {
  const auto refused = [](const std::string& why) { return fail(error_kind::not_supported, "{}", why); };
  if (options_.queries) {
    return refused("a querySql is read");
  }
  if (plan_->relations.size() != 1) {
    return refused("several tables are read");
  }
  const connection& c = of(plan_->relations[0]);
  if (c.is_plain()) {
    return refused(fmt::format("{} says that it is {}", c.place(), in_quotes(c.product().says)));
  }
  if (const std::string encoding = c.parameter("server_encoding"); encoding != "UTF8") {
    return refused(fmt::format("the encoding of {} is {}", c.place(), encoding));
  }
  std::vector<sql_column> out;
  for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
    const bool own = !plan_->relations[0].own_columns[i].empty();
    out.push_back({own ? sql_forms_of(plan_->kinds[i], types_[i]) : std::vector<sql_form>(),
                   own ? types_[i].name : std::string("an expression"), own && has_ranges(plan_->kinds[i])});
  }
  return out;
}

result<database_sums> postgresql_source::sum_records(const std::vector<summed_column>& columns,
                                                     const stop_signal& stop) {
  const relation_plan& relation = plan_->relations.at(0);
  of(relation).use_stop(stop);
  return sum_relation(of(relation), *plan_, relation, columns);
}

result<key_span> postgresql_source::span_of(std::size_t column, const stop_signal& stop) {
  const relation_plan& relation = plan_->relations.at(0);
  of(relation).use_stop(stop);
  return span_of_relation(of(relation), *plan_, relation, column);
}

result<std::vector<range_sums>> postgresql_source::sum_ranges(const std::vector<summed_column>& columns,
                                                              std::size_t column,
                                                              const std::vector<key_range>& ranges,
                                                              const stop_signal& stop) {
  const relation_plan& relation = plan_->relations.at(0);
  of(relation).use_stop(stop);
  return sum_ranges_of(of(relation), *plan_, relation, columns, {column, ranges});
}

std::string postgresql_source::condition_of(std::size_t column, const std::vector<key_range>& ranges) const {
  return relational::condition_sql(plan_->relations.at(0).own_columns[column], ranges);
}

result<std::unique_ptr<reader>> postgresql_source::make_reader() {
  return std::make_unique<postgresql_reader>(plan_);
}

void postgresql_source::interrupt() {
  const std::lock_guard lock(interrupting_);
  for (const auto& c : connections_) {
    if (c != nullptr) {
      c->interrupt();
    }
  }
}

}  // namespace sluice::postgresql
