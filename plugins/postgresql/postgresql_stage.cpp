#include "plugins/postgresql/postgresql_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "plugins/postgresql/postgresql_codes.h"
#include "plugins/postgresql/postgresql_writer.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::write_mode;

constexpr std::size_t send_bytes = std::size_t{128} << 10;
/// The codes by which the block below reports a row that the write mode leaves out, and how many rows were
/// new; and under which it takes back what was done for a row that was not stored.
constexpr const char* ignored_code = "ignored";
constexpr const char* inserted_code = "inserted";
constexpr const char* not_stored_state = "SLUIC";
constexpr const char* gone_setting = "sluice.gone";
/// `ON CONFLICT DO UPDATE` has met two staged rows of one key.
constexpr const char* same_key_twice = "21000";
constexpr const char* unique_violation = "23505";
/// Beyond it, rows with one key are cheaper one by one.
constexpr std::uint64_t rounds_max = 64;
/// How often a row that others replace, too, is tried before it is refused, and a batch before its rows are
/// tried one by one, which locks them in no order.
constexpr int replace_tries_max = 8;
constexpr int rounds_tries_max = 4;

/// The braces stand for the statements of the mode and for what becomes of a row that is left out. A block
/// with EXCEPTION is a subtransaction; sixteen rows share one as long as none is refused. Variables must not
/// meet columns of tables, and keep their values where a block is taken back. What is no fault of a row's,
/// such as a lock that was waited for in vain, goes through.
constexpr const char* each_block = R"(
DECLARE
  sluice_n int; sluice_range int[]; sluice_took bigint; sluice_gone bigint; sluice_fresh bigint; sluice_wanted bigint; sluice_inserted bigint := 0;
  sluice_old record; sluice_code text; sluice_words text; sluice_more text; sluice_column text; sluice_constraint text;
BEGIN
  FOR sluice_range IN SELECT pg_catalog.array_agg(o.n ORDER BY o.place) FROM (
      SELECT s.sluice_row AS n, pg_catalog.row_number() OVER (ORDER BY {order}s.sluice_row) - 1 AS place FROM pg_temp.sluice_rows s) o
      GROUP BY o.place / 16 ORDER BY o.place / 16 LOOP
    BEGIN
      SELECT count(*) INTO sluice_wanted FROM pg_temp.sluice_rows s WHERE {range};
      {range_step}
      IF sluice_took <> sluice_wanted THEN RAISE EXCEPTION 'sluice' USING ERRCODE = 'P0001'; END IF;
      sluice_inserted := sluice_inserted + sluice_fresh;
    EXCEPTION
      WHEN {not_of_a_row} THEN RAISE;
      WHEN OTHERS THEN
      FOREACH sluice_n IN ARRAY sluice_range LOOP
        BEGIN
          {one_step}
          IF sluice_took = 1 THEN sluice_inserted := sluice_inserted + sluice_fresh;
          ELSE {left_out} END IF;
        EXCEPTION
          WHEN {not_of_a_row} THEN RAISE;
          WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS sluice_code = RETURNED_SQLSTATE, sluice_words = MESSAGE_TEXT,
            sluice_more = PG_EXCEPTION_DETAIL, sluice_column = COLUMN_NAME, sluice_constraint = CONSTRAINT_NAME;
          INSERT INTO pg_temp.sluice_refused VALUES (sluice_n, CASE sluice_code WHEN '{not_stored}' THEN '{silently}' ELSE sluice_code END,
            sluice_words || CASE WHEN sluice_more <> '' THEN '. ' || sluice_more ELSE '' END, sluice_column, sluice_constraint);
        END;
      END LOOP;
    END;
  END LOOP;
  INSERT INTO pg_temp.sluice_refused VALUES (-1, '{inserted}', sluice_inserted::text, '', '');
END)";
constexpr std::string_view range_condition = "s.sluice_row = ANY (sluice_range)";
constexpr std::string_view one_condition = "s.sluice_row = sluice_n";
constexpr std::string_view not_of_a_row =
    "transaction_rollback OR insufficient_resources OR object_not_in_prerequisite_state OR "
    "operator_intervention";

/// How the unique indexes compare each of their columns (BTEqualStrategyNumber is 3); the braces stand for
/// what versions before 11 and 15 lack.
constexpr const char* equality_sql = R"(
SELECT i.relname, 'OPERATOR(' || pg_catalog.quote_ident(sn.nspname) || '.' || o.oprname || ')',
  ' COLLATE ' || pg_catalog.quote_ident(ln.nspname) || '.' || pg_catalog.quote_ident(l.collname), {nulls}, n.attnotnull
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid CROSS JOIN pg_catalog.generate_series(0, x.{columns} - 1) k(n)
JOIN pg_catalog.pg_opclass c ON c.oid = x.indclass[k.n]
JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype AND a.amopstrategy = 3
JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr JOIN pg_catalog.pg_namespace sn ON sn.oid = o.oprnamespace
LEFT JOIN pg_catalog.pg_collation l ON l.oid = x.indcollation[k.n] LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
LEFT JOIN pg_catalog.pg_attribute n ON n.attrelid = x.indrelid AND n.attnum = x.indkey[k.n]
WHERE x.indrelid = $1::oid AND x.indisunique ORDER BY i.relname, k.n)";
constexpr int version_with_equal_nulls = 150'000;
constexpr int version_with_include = 110'000;

std::size_t place_of(const stage_plan& plan, const std::string& name) {
  return static_cast<std::size_t>(std::find(plan.columns.begin(), plan.columns.end(), name) -
                                  plan.columns.begin());
}

key_comparison comparison_of(const stage_plan& plan, const unique_key& key) {
  const auto found = plan.compared.find(key.name);
  if (found != plan.compared.end() && found->second.columns.size() == key.columns.size()) {
    return found->second;
  }
  return {std::vector<key_equality>(key.columns.size(), {"=", "", false}), false};
}

/// `t.f = s.c1 AND …`: a row of the table has the key of a staged one, as the key's index sees it.
std::string same_key(const stage_plan& plan, const unique_key& key, std::string_view staged) {
  const key_comparison compared = comparison_of(plan, key);
  std::string same;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const key_equality& how = compared.columns[i];
    const std::string there = "t." + quote_name(key.columns[i]);
    const std::string comes = fmt::format("{}.c{}", staged, place_of(plan, key.columns[i]) + 1);
    std::string equal = fmt::format("{} {} {}{}", there, how.sign, comes, how.collation);
    if (compared.nulls_equal && how.may_be_null) {  // beside `OR` the index is of less use
      equal = fmt::format("({} OR {} IS NULL AND {} IS NULL)", equal, there, comes);
    }
    same += (same.empty() ? "" : " AND ") + equal;
  }
  return same;
}

/// `s.c1 COLLATE "public"."ci", s.c2`: what rows with one key have in common.
std::string key_values(const stage_plan& plan, const unique_key& key) {
  const key_comparison compared = comparison_of(plan, key);
  std::string values;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    values += fmt::format("{}s.c{}{}", values.empty() ? "" : ", ", place_of(plan, key.columns[i]) + 1,
                          compared.columns[i].collation);
  }
  return values;
}

/// `s.c3, s.c1, `: what an ORDER BY begins with. Equal to the key's index is equal in it, so that rows of one
/// key stay as they are.
std::string order_of(const stage_plan& plan) {
  if (plan.order.empty()) {
    return {};
  }
  return key_values(plan, plan.by.columns == plan.order ? plan.by : plan.unique_keys.at(0)) + ", ";
}

/// Whether a staged row's key is in the table. An index finds it whatever the server believes to know of the
/// table, which after a VACUUM during the load may be that it is empty: OFFSET 0 keeps the look-up from
/// becoming a join, which may read the whole table, for each staged row even.
std::string is_there_sql(const stage_plan& plan, const unique_key& key) {
  return fmt::format("EXISTS (SELECT FROM {} t WHERE {} OFFSET 0)", plan.own_rows(),
                     same_key(plan, key, "s"));
}

/// Steps of PL/pgSQL that take the rows away which staged ones replace, each by its key, and count them. A
/// DELETE that has waited for another session which replaced the same row finds none: that one's is not of
/// its snapshot, and goes the next time.
std::string delete_steps(const stage_plan& plan, std::string_view condition) {
  std::string key;
  for (const std::string& name : plan.key) {
    key += fmt::format("{}s.c{}", key.empty() ? "" : ", ", place_of(plan, name) + 1);
  }
  return fmt::format(
      "sluice_gone := 0; FOR sluice_old IN SELECT {0} FROM pg_temp.sluice_rows s WHERE {1} AND {2} ORDER BY "
      "{0} LOOP FOR sluice_tries IN 1..{5} LOOP DELETE FROM {3} t WHERE {4}; GET DIAGNOSTICS sluice_took = "
      "ROW_COUNT; sluice_gone := sluice_gone + sluice_took; EXIT WHEN sluice_took > 0 OR NOT EXISTS (SELECT "
      "FROM {3} t WHERE {4}); END LOOP; END LOOP;",
      key, condition, is_there_sql(plan, plan.by), plan.own_rows(), same_key(plan, plan.by, "sluice_old"),
      replace_tries_max);
}

/// The same as a statement; how many there were is left in a setting.
std::string delete_sql(const stage_plan& plan, std::string_view condition) {
  return "DO " + quote_text(fmt::format("DECLARE sluice_old record; sluice_took bigint; sluice_gone bigint; "
                                        "BEGIN {} PERFORM pg_catalog.set_config('{}', sluice_gone::text, "
                                        "true); END",
                                        delete_steps(plan, condition), gone_setting));
}

/// Without what the mode says of conflicts: then a row that meets a key is refused by it.
std::string plain_insert_sql(const stage_plan& plan, std::string_view condition) {
  std::string names;
  std::string staged;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const std::string_view comma = i == 0 ? "" : ", ";
    names += fmt::format("{}{}", comma, quote_name(plan.columns[i]));
    staged += fmt::format("{}s.c{}", comma, i + 1);
  }
  return fmt::format(
      "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.sluice_rows s WHERE {} ORDER BY "
      "{}s.sluice_row",
      plan.table, names, staged, condition, order_of(plan));
}

std::string insert_sql(const stage_plan& plan, std::string_view condition) {
  return plain_insert_sql(plan, condition) + on_conflict(plan);
}

/// An INSERT that says how many rows it took and how many of these are new: such a one nobody has locked.
/// Where rows are updated there is no other way to tell; not of views and of tables in partitions.
std::string counted_sql(const stage_plan& plan, std::string_view condition, std::string_view into) {
  return fmt::format(
      "WITH done AS ({} RETURNING xmax = 0 AS fresh) SELECT count(*), count(*) FILTER (WHERE fresh){} FROM "
      "done",
      insert_sql(plan, condition), into);
}

/// What the block does with the staged rows of a condition.
std::string block_step(const stage_plan& plan, bool counts, std::string_view condition) {
  if (counts) {
    return counted_sql(plan, condition, " INTO sluice_took, sluice_fresh") + ";";
  }
  std::string step = insert_sql(plan, condition) + "; GET DIAGNOSTICS sluice_took = ROW_COUNT; ";
  if (plan.mode != write_mode::replace) {
    return step + "sluice_fresh := sluice_took;";
  }
  return fmt::format("{} {}sluice_fresh := sluice_took - sluice_gone;", delete_steps(plan, condition), step);
}

/// The same of one row. Where another session has just put in a row with a key that was not there, `replace`
/// takes that away and tries again. A key whose row was deleted, or is not there, was refused by another one.
std::string one_row_step(const stage_plan& plan, bool counts) {
  const std::string step = block_step(plan, counts, one_condition);
  if (plan.mode != write_mode::replace) {
    return step;
  }
  return fmt::format(
      "FOR sluice_n_tries IN 1..{} LOOP BEGIN {} EXIT; EXCEPTION WHEN unique_violation THEN IF sluice_gone > "
      "0 "
      "OR sluice_n_tries = {} OR NOT EXISTS (SELECT FROM pg_temp.sluice_rows s WHERE {} AND {}) THEN RAISE; "
      "END "
      "IF; END; END LOOP;",
      replace_tries_max, step, replace_tries_max, one_condition, is_there_sql(plan, plan.by));
}

/// The staged rows whose key is in the table, with its values as the server writes them.
std::string duplicates_sql(const stage_plan& plan, const unique_key& key) {
  std::string values;
  for (const std::string& name : key.columns) {
    values += fmt::format("{}coalesce(s.c{}::text, 'null')", values.empty() ? "" : " || ', ' || ",
                          place_of(plan, name) + 1);
  }
  return fmt::format("SELECT s.sluice_row, {} FROM pg_temp.sluice_rows s WHERE {}", values,
                     is_there_sql(plan, key));
}

/// In the words that the server has for it.
std::string duplicate_message(const unique_key& key, std::string_view values) {
  return fmt::format("duplicate key value violates unique constraint \"{}\". Key ({})=({}) already exists.",
                     key.name, fmt::join(key.columns, ", "), values);
}

}  // namespace

result<key_comparisons> comparisons_of(connection& c, std::uint32_t table_oid) {
  SLUICE_TRY(
      const auto rows,
      c.ask(fmt::format(fmt::runtime(equality_sql),
                        fmt::arg("columns", c.version() >= version_with_include ? "indnkeyatts" : "indnatts"),
                        fmt::arg("nulls", c.version() >= version_with_equal_nulls ? "x.indnullsnotdistinct"
                                                                                  : "false")),
            {fmt::to_string(table_oid)}));
  key_comparisons out;
  for (const auto& row : rows) {
    key_comparison& of = out[row.at(0).value_or("")];
    of.columns.push_back({row.at(1).value_or("="), row.at(2).value_or(""), row.at(4) != "t"});
    of.nulls_equal = row.at(3) == "t";
  }
  return out;
}

std::string on_conflict(const stage_plan& plan) {
  std::string key;
  for (const std::string& name : plan.key) {
    key += (key.empty() ? "" : ", ") + quote_name(name);
  }
  if (plan.mode == write_mode::ignore) {
    return key.empty() ? " ON CONFLICT DO NOTHING" : fmt::format(" ON CONFLICT ({}) DO NOTHING", key);
  }
  if (plan.mode != write_mode::update) {
    return {};
  }
  std::string set;
  for (const std::string& name : plan.columns) {
    if (std::find(plan.key.begin(), plan.key.end(), name) == plan.key.end()) {
      set += fmt::format("{0}{1} = excluded.{1}", set.empty() ? "" : ", ", quote_name(name));
    }
  }
  if (set.empty()) {  // there is nothing but the key: the row that is there is the row that comes
    set = fmt::format("{0} = excluded.{0}", quote_name(plan.key.at(0)));
  }
  return fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}", key, set);
}

const char* const silence =
    "the server took the row without a word and did not store it, as a trigger that returns NULL does";

row_stage::row_stage(stage_plan plan)
    : plan_(std::move(plan)),
      counts_(plan_.mode == write_mode::update),
      usable_(plan_.columns.size() <= staged_columns_max) {
  std::string declared;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    declared += fmt::format(", c{} {}", i + 1, plan_.type_names[i]);
  }
  make_sql_ = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_rows (sluice_row int{}) ON COMMIT DELETE "
      "ROWS; "
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_refused (sluice_row int, code text, message text, "
      "column_name text, constraint_name text) ON COMMIT DELETE ROWS; DO 'BEGIN NULL; END'",
      declared);
  key_columns_.resize(plan_.columns.size());
  for (const unique_key& key : plan_.unique_keys) {
    duplicates_sql_.push_back(duplicates_sql(plan_, key));
    for (const std::string& name : key.columns) {
      key_columns_[place_of(plan_, name)] = true;
    }
  }
}

std::string row_stage::column_of(const std::string& staged) const {
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    if (staged == fmt::format("c{}", i + 1)) {
      return plan_.columns[i];
    }
  }
  return staged;
}

std::string row_stage::each_sql() const {
  std::string left_out = fmt::format("RAISE EXCEPTION 'sluice' USING ERRCODE = '{}';", not_stored_state);
  if (plan_.mode == write_mode::ignore) {  // one that meets no key was swallowed
    left_out = fmt::format(
        "BEGIN {}; GET DIAGNOSTICS sluice_took = ROW_COUNT; IF sluice_took = 1 THEN sluice_inserted := "
        "sluice_inserted + 1; ELSE {} END IF; EXCEPTION WHEN unique_violation OR exclusion_violation THEN "
        "INSERT INTO pg_temp.sluice_refused VALUES (sluice_n, '{}', '', '', ''); END;",
        plain_insert_sql(plan_, one_condition), left_out, ignored_code);
  }
  const std::string block =
      fmt::format(fmt::runtime(each_block), fmt::arg("order", order_of(plan_)),
                  fmt::arg("range", range_condition), fmt::arg("not_of_a_row", not_of_a_row),
                  fmt::arg("range_step", block_step(plan_, counts_, range_condition)),
                  fmt::arg("one_step", one_row_step(plan_, counts_)), fmt::arg("left_out", left_out),
                  fmt::arg("not_stored", not_stored_state), fmt::arg("silently", refused_silently),
                  fmt::arg("inserted", inserted_code));
  return "DO " + quote_text(block);  // a name may hold whatever ends another quote
}

result<bool> row_stage::make(connection& c) {
  if (made_ || !usable_) {
    return usable_;
  }
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_stage"));
  auto made = c.run_script(make_sql_);
  if (!made) {
    const error_kind kind = made.error().kind;
    if (kind != error_kind::denied && kind != error_kind::not_supported && kind != error_kind::bad_option) {
      return fail(std::move(made).error());
    }
    usable_ = false;
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_stage; RELEASE SAVEPOINT sluice_stage"));
    return false;
  }
  SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_stage"));
  made_ = true;
  return true;
}

result<void> row_stage::send(connection& c, row_encoder& encoder, const batch& b,
                             const std::vector<std::uint32_t>& rows, const std::vector<bool>* wanted,
                             send_buffer& buffer) {
  std::string names;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    if (wanted == nullptr || (*wanted)[i]) {
      names += fmt::format(", c{}", i + 1);
    }
  }
  SLUICE_CHECK(c.copy_in(fmt::format("COPY pg_temp.sluice_rows (sluice_row{}) FROM STDIN (FORMAT {})", names,
                                     encoder.form() == copy_form::binary ? "binary" : "text")));
  buffer.resize(0);
  encoder.begin(buffer);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!encoder.append(b, rows[i], buffer, static_cast<std::int32_t>(i), wanted)) {
      return fail(error_kind::internal, "{}: a row that could be sent cannot be any more", c.place());
    }
    if (buffer.size() >= send_bytes) {
      SLUICE_CHECK(c.copy_send(buffer.view()));
      buffer.resize(0);
    }
  }
  encoder.end(buffer);
  SLUICE_CHECK(c.copy_send(buffer.view()));
  buffer.resize(0);
  SLUICE_CHECK(c.copy_end());
  return {};
}

result<row_stage::taken> row_stage::take(connection& c, std::string_view condition) const {
  taken done;
  if (counts_) {
    SLUICE_TRY(const auto rows, c.run_and_ask(counted_sql(plan_, condition, "")));
    const auto number = [&](std::size_t at) {
      return std::strtoull(rows.at(0).at(at).value_or("0").c_str(), nullptr, 10);
    };
    done.rows = number(0);
    done.fresh = number(1);
    return done;
  }
  std::uint64_t gone = 0;
  if (plan_.mode == write_mode::replace) {
    SLUICE_CHECK(c.run(delete_sql(plan_, condition)));
    SLUICE_TRY(const auto rows, c.ask(fmt::format("SELECT pg_catalog.current_setting('{}')", gone_setting)));
    gone = std::strtoull(rows.at(0).at(0).value_or("0").c_str(), nullptr, 10);
  }
  SLUICE_TRY(done.rows, c.run(insert_sql(plan_, condition)));
  done.fresh = done.rows - std::min(done.rows, gone);
  return done;
}

void row_stage::tell(std::uint64_t written, std::uint64_t fresh, outcome& answer) const {
  fresh = std::min(written, fresh);
  if (plan_.mode == write_mode::replace) {
    answer.parts = {fresh, 0, written - fresh, 0};
  } else if (counts_) {
    answer.parts = {fresh, written - fresh, 0, 0};
  } else if (plan_.mode != write_mode::update) {
    answer.parts.inserted = written;
  }
}

result<std::optional<std::uint64_t>> row_stage::insert_all(connection& c, std::size_t count) {
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_all"));
  (void)c.take_warning();
  auto done = take(c, "true");
  if (done && done->rows == count && !c.take_warning()) {
    SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_all"));
    return std::optional(done->fresh);
  }
  const bool counted_in_vain =
      !done && counts_ &&
      (done.error().kind == error_kind::denied || done.error().kind == error_kind::not_supported ||
       done.error().kind == error_kind::bad_option) &&
      !c.is_lost();
  if (!done && !counted_in_vain && done.error().kind != error_kind::bad_row &&
      done.error().code != same_key_twice) {
    return fail(done.error());
  }
  SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_all; RELEASE SAVEPOINT sluice_all"));
  if (counted_in_vain) {  // the right to look (SELECT) is missing, or the table is one that does not tell
    counts_ = false;
    return insert_all(c, count);
  }
  const bool met = !done && ((plan_.mode == write_mode::update && done.error().code == same_key_twice) ||
                             (plan_.mode == write_mode::replace && done.error().code == unique_violation));
  return met ? insert_rounds(c, count) : std::optional<std::uint64_t>();
}

result<std::optional<std::uint64_t>> row_stage::insert_rounds(connection& c, std::size_t count) {
  const std::string key = key_values(plan_, plan_.by);
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_rounds"));
  const auto not_so = [&]() -> result<std::optional<std::uint64_t>> {
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_rounds; RELEASE SAVEPOINT sluice_rounds"));
    return std::optional<std::uint64_t>();
  };
  const auto most = c.ask(fmt::format(
      "SELECT max(k.n) FROM (SELECT count(*) AS n FROM pg_temp.sluice_rows s GROUP BY {}) k", key));
  if (!most) {  // a type without an order
    return most.error().kind == error_kind::cancelled || c.is_lost() ? fail(most.error()) : not_so();
  }
  const std::uint64_t rounds = std::strtoull(most->at(0).at(0).value_or("0").c_str(), nullptr, 10);
  // `replace` may also have met a key that another session has put in meanwhile, which is there now.
  const bool replaces = plan_.mode == write_mode::replace;
  if (rounds < (replaces ? 1 : 2) || rounds > rounds_max) {
    return not_so();
  }
  for (int tries = 1;; ++tries) {
    taken all;
    bool met = false;
    for (std::uint64_t n = 1; n <= rounds && !met; ++n) {
      const auto done = take(
          c, fmt::format("s.sluice_row IN (SELECT r.sluice_row FROM (SELECT s.sluice_row, row_number() OVER "
                         "(PARTITION BY {} ORDER BY s.sluice_row) AS n FROM pg_temp.sluice_rows s) r WHERE "
                         "r.n = {})",
                         key, n));
      if (!done && done.error().kind != error_kind::bad_row && done.error().code != same_key_twice) {
        return fail(done.error());
      }
      met = !done && replaces && done.error().code == unique_violation && tries < rounds_tries_max;
      if (!met && (!done || c.take_warning())) {
        return not_so();
      }
      all.rows += done ? done->rows : 0;
      all.fresh += done ? done->fresh : 0;
    }
    if (!met) {
      if (all.rows != count) {
        return not_so();
      }
      SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_rounds"));
      return std::optional(all.fresh);
    }
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_rounds"));
  }
}

result<row_stage::plain_end> row_stage::insert_plain(connection& c, std::size_t staged_row) const {
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_plain"));
  (void)c.take_warning();
  const auto done = c.run(plain_insert_sql(plan_, fmt::format("s.sluice_row = {}", staged_row)));
  if (!done && done.error().kind != error_kind::bad_row) {
    return fail(done.error());
  }
  if (done && *done == 1 && !c.take_warning()) {
    SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_plain"));
    return plain_end::stored;
  }
  SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_plain; RELEASE SAVEPOINT sluice_plain"));
  const bool met = !done && (done.error().code == unique_violation || done.error().code == "23P01");
  return met ? plain_end::meets_key : plain_end::swallowed;
}

result<void> row_stage::insert_halves(connection& c, std::size_t from, std::size_t to,
                                      const std::vector<std::uint32_t>& rows, std::uint64_t& fresh,
                                      outcome& answer) {
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_half"));
  (void)c.take_warning();
  const auto done = take(c, fmt::format("s.sluice_row >= {} AND s.sluice_row < {}", from, to));
  const std::optional<server_failure> warning = c.take_warning();
  if (done && !warning && done->rows == to - from) {
    fresh += done->fresh;
    return c.run_script("RELEASE SAVEPOINT sluice_half");
  }
  if (!done && done.error().kind != error_kind::bad_row && done.error().code != same_key_twice) {
    return fail(done.error());
  }
  const server_failure why = done ? warning.value_or(server_failure{}) : c.last_failure();
  SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_half; RELEASE SAVEPOINT sluice_half"));
  if (to - from > 1) {
    const std::size_t middle = from + (to - from) / 2;
    SLUICE_CHECK(insert_halves(c, from, middle, rows, fresh, answer));
    return insert_halves(c, middle, to, rows, fresh, answer);
  }
  if (done && !warning && plan_.mode == write_mode::ignore) {
    SLUICE_TRY(const plain_end end, insert_plain(c, from));
    if (end == plain_end::stored) {
      ++fresh;
      return {};
    }
    if (end == plain_end::meets_key) {
      answer.ignored.push_back(rows.at(from));
      return {};
    }
  }
  if (done && !warning) {
    answer.refused.push_back({rows.at(from), "", refused_silently, silence});
  } else {
    answer.refused.push_back({rows.at(from), why.column.empty() ? why.constraint : why.column, why.sqlstate,
                              done ? "the server warned: " + why.message : why.message});
  }
  return {};
}

result<std::vector<bool>> row_stage::find_duplicates(connection& c, const std::vector<std::uint32_t>& rows,
                                                     outcome& answer) {
  std::vector<bool> found(rows.size());
  for (std::size_t key = 0; key < duplicates_sql_.size(); ++key) {
    SLUICE_CHECK(c.run_script("SAVEPOINT sluice_look"));
    const auto there = c.ask(duplicates_sql_[key]);
    if (!there) {
      if (there.error().kind == error_kind::cancelled || c.is_lost()) {
        return fail(there.error());
      }
      // It only spares work: without the right to look (SELECT), or without an order of its own, rows are
      // tried.
      SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_look; RELEASE SAVEPOINT sluice_look"));
      continue;
    }
    SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_look"));
    for (const auto& r : *there) {
      const std::size_t n = std::strtoul(r.at(0).value_or("0").c_str(), nullptr, 10);
      if (found.at(n)) {
        continue;
      }
      found[n] = true;
      if (plan_.mode == write_mode::ignore) {
        answer.ignored.push_back(rows[n]);
      } else {
        const unique_key& of = plan_.unique_keys[key];
        answer.refused.push_back(
            {rows[n], of.name, unique_violation, duplicate_message(of, r.at(1).value_or(""))});
      }
    }
  }
  return found;
}

result<std::size_t> row_stage::take_out_duplicates(connection& c, const std::vector<std::uint32_t>& rows,
                                                   outcome& answer) {
  SLUICE_TRY(const std::vector<bool> found, find_duplicates(c, rows, answer));
  const auto count = static_cast<std::size_t>(std::count(found.begin(), found.end(), true));
  if (count != 0 && count != rows.size()) {
    std::string numbers;
    for (std::size_t n = 0; n < found.size(); ++n) {
      if (found[n]) {
        numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", n);
      }
    }
    SLUICE_CHECK(
        c.run(fmt::format("DELETE FROM pg_temp.sluice_rows s USING pg_catalog.unnest('{{{}}}'::int[]) "
                          "u(n) WHERE s.sluice_row = u.n",
                          numbers)));
  }
  return count;
}

result<void> row_stage::read_left_out(connection& c, const std::vector<std::uint32_t>& rows,
                                      std::uint64_t& fresh, outcome& answer) {
  SLUICE_TRY(const auto left_out, c.ask("SELECT sluice_row, code, message, column_name, constraint_name FROM "
                                        "pg_temp.sluice_refused ORDER BY sluice_row"));
  for (const auto& r : left_out) {
    const std::string code = r.at(1).value_or("");
    if (code == inserted_code) {
      fresh = std::strtoull(r.at(2).value_or("0").c_str(), nullptr, 10);
      continue;
    }
    const std::uint32_t row = rows.at(std::strtoul(r.at(0).value_or("0").c_str(), nullptr, 10));
    if (code == ignored_code) {
      answer.ignored.push_back(row);
      continue;
    }
    const std::string words = code == refused_silently ? silence : r.at(2).value_or("");
    const code_meaning meaning = meaning_of(code);
    if (code != refused_silently && meaning.kind != error_kind::bad_row) {
      // What is no fault of the row's ends the transaction, as it would have outside of the block.
      return fail(error{meaning.kind, fmt::format("{}: {} ({})", c.place(), statement_text(words), code),
                        code, false});
    }
    refused_row refused{row, r.at(3).value_or(""), code, words};
    if (refused.column.empty()) {
      refused.column = r.at(4).value_or("");
    }
    answer.refused.push_back(std::move(refused));
  }
  return {};
}

result<void> row_stage::insert_some(connection& c, const std::vector<std::uint32_t>& rows, bool looked,
                                    std::uint64_t& fresh, outcome& answer) {
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_some"));
  if (!looked) {
    SLUICE_TRY(const std::size_t duplicates, take_out_duplicates(c, rows, answer));
    std::optional<std::uint64_t> all;
    if (duplicates == rows.size()) {
      all = 0;
    } else if (duplicates != 0) {
      SLUICE_TRY(all, insert_all(c, rows.size() - duplicates));
    }
    if (all) {
      fresh = *all;
      return c.run_script("RELEASE SAVEPOINT sluice_some");
    }
  }
  (void)c.take_warning();
  SLUICE_CHECK(
      c.run_script("CREATE INDEX IF NOT EXISTS sluice_rows_in_order ON pg_temp.sluice_rows (sluice_row)"));
  SLUICE_CHECK(c.run_script(each_sql()));
  if (!c.take_warning()) {
    SLUICE_CHECK(read_left_out(c, rows, fresh, answer));
    return c.run_script("RELEASE SAVEPOINT sluice_some");
  }
  // It says nothing of its row.
  SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_some; RELEASE SAVEPOINT sluice_some"));
  answer.refused.clear();
  answer.ignored.clear();
  return insert_halves(c, 0, rows.size(), rows, fresh, answer);
}

result<row_stage::outcome> row_stage::insert(connection& c, row_encoder& encoder, const batch& b,
                                             const std::vector<std::uint32_t>& rows, std::size_t first,
                                             std::size_t last, bool all_at_once, send_buffer& buffer) {
  outcome answer;
  SLUICE_TRY(const bool there, make(c));
  if (!there) {
    return answer;
  }
  SLUICE_CHECK(c.run_script("TRUNCATE pg_temp.sluice_rows, pg_temp.sluice_refused; SAVEPOINT sluice_rows"));
  std::vector<std::uint32_t> left(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                  rows.begin() + static_cast<std::ptrdiff_t>(last));
  const auto stage = [&](const std::vector<bool>* wanted) -> result<bool> {
    auto sent = send(c, encoder, b, left, wanted, buffer);
    if (!sent && sent.error().kind != error_kind::bad_row) {
      return fail(std::move(sent).error());
    }
    if (!sent) {
      answer.line = line_in_context(c.last_failure().context);
      SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_rows"));
    }
    return sent.has_value();
  };
  bool looked = false;
  if (!all_at_once && !duplicates_sql_.empty()) {
    SLUICE_TRY(looked, stage(&key_columns_));
  }
  std::vector<refused_row> duplicates;
  if (looked) {
    SLUICE_TRY(const std::vector<bool> found, find_duplicates(c, left, answer));
    duplicates = std::move(answer.refused);
    answer.refused.clear();
    std::size_t kept = 0;
    for (std::size_t n = 0; n < left.size(); ++n) {
      if (!found[n]) {
        left[kept++] = left[n];
      }
    }
    left.resize(kept);
    SLUICE_CHECK(c.run_script("TRUNCATE pg_temp.sluice_rows"));
  }
  std::uint64_t fresh = 0;
  if (!left.empty()) {
    SLUICE_TRY(const bool staged, stage(nullptr));
    if (!staged) {
      answer.line = left.size() == last - first ? answer.line : 0;
      SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_rows"));
      return answer;
    }
    std::optional<std::uint64_t> all;
    if (all_at_once || !duplicates.empty()) {
      SLUICE_TRY(all, insert_all(c, left.size()));
    }
    fresh = all.value_or(0);
    if (!all) {
      SLUICE_CHECK(insert_some(c, left, looked, fresh, answer));
    }
  }
  tell(left.size() - answer.refused.size() - answer.ignored.size(), fresh, answer);
  std::move(duplicates.begin(), duplicates.end(), std::back_inserter(answer.refused));
  SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_rows"));
  answer.staged = true;
  return answer;
}

}  // namespace sluice::postgresql
