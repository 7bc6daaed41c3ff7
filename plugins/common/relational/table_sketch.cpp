#include "plugins/common/relational/table_sketch.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/words.h"
#include "plugins/common/relational/columns.h"
#include "plugins/common/relational/jdbc_url.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

using json = nlohmann::ordered_json;

tl::unexpected<error> named_wrong(std::string message) {
  return fail(error{error_kind::bad_option, std::move(message), end_named_wrong, false});
}

void put(end_sketch& to, std::string name, json value, std::string comment = {}) {
  to.options.push_back({std::move(name), std::move(value), std::move(comment)});
}

/// Where the account ends, at the last `@` before the database; npos where there is none. A reference to a
/// secret may hold any character.
std::size_t end_of_account(std::string_view text) {
  std::size_t at = std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::size_t behind = secret_reference_end(text, i); behind != std::string_view::npos) {
      i = behind - 1;
    } else if (text[i] == '@') {
      at = i;
    } else if (text[i] == '/' || text[i] == '?' || text[i] == '#') {
      break;
    }
  }
  return at;
}

/// As it is where it has a reference to a secret, or is not encoded as it should be.
std::string decoded(std::string_view text) {
  return has_secret_reference(text) ? std::string(text)
                                    : percent_decoded(text, false).value_or(std::string(text));
}

/// The properties without `user` and `password`, which are parts of their own.
std::string without_account(std::string_view query, address_parts& to) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string_view name = one.substr(0, equals);
    const std::string_view value = one.substr(std::min(equals + 1, one.size()));
    if (same_word(name, "user")) {
      to.user = decoded(value);
    } else if (same_word(name, "password")) {
      to.password = decoded(value);
    } else {
      kept += (kept.empty() ? "?" : "&") + std::string(one);
    }
  }
  return kept;
}

/// How a table of the same database is named.
std::string way_to_name(const end_place& where) {
  return where.datasource ? where.datasource->name + ":TABLE"
                          : fmt::format("{}://USER@HOST:PORT/DATABASE:TABLE", where.form);
}

/// The end in messages.
std::string shown(const end_place& where) {
  return where.datasource ? "" : in_quotes(parts_of_address(where.path).url) + ": ";
}

/// What connects, where no data source does, and the table. DataX's jobs have both in a list of connections.
void put_place(end_sketch& to, const end_place& where, dialect d, bool reads) {
  const address_parts at = where.datasource ? address_parts() : parts_of_address(where.path);
  if (!where.datasource) {
    put(to, "username", at.user);
  }
  if (!at.password.empty()) {
    const auto written = secret_text::parse(at.password, "");
    put(to, "password", at.password,
        written && !written->has_plain()
            ? ""
            : "In clear, as it was given; a reference such as ${env:NAME} keeps it out of the job.");
  }
  if (d == dialect::datax) {
    json connection = json::object();
    if (!where.datasource) {
      connection["jdbcUrl"] = reads ? json::array({at.url}) : json(at.url);
    }
    connection["table"] = json::array({where.table});
    put(to, "connection", json::array({std::move(connection)}));
    return;
  }
  if (!where.datasource) {
    put(to, "jdbcUrl", at.url);
  }
  put(to, "table", where.table);
}

}  // namespace

std::optional<end_place> table_at_address(std::string_view text, std::span<const address_form> forms) {
  const std::size_t slashes = text.find("//");
  if (slashes == std::string_view::npos) {
    return std::nullopt;
  }
  constexpr std::string_view java = "jdbc:";
  const std::string scheme = lower(text.substr(0, slashes));
  const bool javas = scheme.starts_with(java);
  const std::string_view begin = std::string_view(scheme).substr(javas ? java.size() : 0);
  for (const address_form& form : forms) {
    const std::string_view rest = begin.substr(std::min(form.word.size(), begin.size()));
    if (!begin.starts_with(form.word) || !rest.starts_with(':')) {
      continue;
    }
    // `replication:` and the like stand in addresses of Java's drivers only.
    const std::string_view more = rest.substr(1);
    if (!more.empty() && !(javas && more.ends_with(':'))) {
      continue;
    }
    end_place where;
    where.form = form.word;
    where.path = fmt::format("{}{}{}", form.scheme, more, text.substr(slashes));
    where.table = parts_of_address(where.path).table;
    return where;
  }
  return std::nullopt;
}

address_parts parts_of_address(std::string_view path) {
  const std::size_t begin = std::min(path.find("//"), path.size());
  std::string_view rest = path.substr(std::min(begin + 2, path.size()));
  address_parts out;
  if (const std::size_t at = end_of_account(rest); at != std::string_view::npos) {
    const std::string_view account = rest.substr(0, at);
    const std::size_t colon = std::min(account.find(':'), account.size());
    out.user = decoded(account.substr(0, colon));
    out.password = decoded(account.substr(std::min(colon + 1, account.size())));
    rest.remove_prefix(at + 1);
  }
  const std::size_t servers_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::size_t question = std::min(rest.find('?', servers_end), rest.size());
  std::string_view database = rest.substr(servers_end, question - servers_end);
  std::string_view query = rest.substr(std::min(question + 1, rest.size()));
  if (const std::size_t colon = database.find(':'); colon != std::string_view::npos) {
    out.table = database.substr(colon + 1);
    database = database.substr(0, colon);
  } else if (const std::size_t last = query.rfind(':'); last != std::string_view::npos) {
    out.table = query.substr(last + 1);
    query = query.substr(0, last);
  }
  out.url = fmt::format("{}//{}{}{}", path.substr(0, begin), rest.substr(0, servers_end), database,
                        without_account(query, out));
  return out;
}

result<connect_options> connection_to(const end_place& where, const options_dialect& dialect) {
  const auto nobody = [](const std::string&) {};  // the run tells
  if (where.datasource) {
    return read_connect_options(where.datasource->options, dialect, nobody);
  }
  const address_parts at = parts_of_address(where.path);
  auto out = connect_options_of({{at.url, "the address", {}}}, {}, *dialect.url, nobody);
  if (!out) {
    return named_wrong(out.error().message);
  }
  if (at.user.empty()) {
    return named_wrong(fmt::format("{}no user is named; write {}", shown(where), way_to_name(where)));
  }
  out->user = at.user;
  if (!at.password.empty()) {
    auto password = secret_text::parse(at.password, "the password in the address");
    if (!password) {
      return named_wrong(password.error().message);
    }
    out->password = std::move(*password);
  }
  return out;
}

result<std::string> one_table(const end_place& where, const options_dialect& dialect) {
  const std::string before = shown(where);
  if (where.table.empty()) {
    return named_wrong(fmt::format("{}the table is missing; write {}", before, way_to_name(where)));
  }
  const auto tables = tables_named_by(where.table, dialect.rules);
  if (!tables || tables->size() != 1 || tables->front() != where.table) {
    return named_wrong(
        fmt::format("{}found {}, expected one table; lists and ranges of tables are for a job file's reader",
                    before, in_quotes(where.table)));
  }
  if (!name_parts(where.table, dialect.rules)) {
    return named_wrong(
        fmt::format("{}found {}, expected {}", before, in_quotes(where.table), dialect.sample_table));
  }
  return where.table;
}

error with_login_advice(error why, const end_place& where) {
  const address_parts at = where.datasource ? address_parts() : parts_of_address(where.path);
  if (why.kind == error_kind::denied && !where.datasource && at.password.empty()) {
    why.message += fmt::format(
        "; the address has no password: put a reference to it there, "
        "'{}://{}:${{env:NAME}}@…', or use a data source (sluice datasource add)",
        where.form, at.user);
  }
  return why;
}

end_sketch sketch_of_source(const end_place& where, schema columns, const std::string& split_key,
                            const sketch_context& context) {
  end_sketch sketch;
  put_place(sketch, where, context.form, true);
  json names = json::array();
  for (const field& f : columns) {
    names.push_back(f.name);
    sketch.column_comments.push_back(f.source_type_name);
  }
  put(sketch, "column", std::move(names));
  if (!split_key.empty()) {
    put(sketch, "splitPk", split_key, "Several pipelines read it by ranges of its key.");
  }
  sketch.columns = std::move(columns);
  return sketch;
}

result<end_sketch> sketch_of_target(const end_place& where, const std::optional<target_table>& table,
                                    const schema& columns, const options_dialect& dialect,
                                    const sketch_context& context) {
  end_sketch sketch;
  put_place(sketch, where, context.form, false);
  SLUICE_CHECK(table ? put_names_for_table(*table, columns, dialect.rules, sketch)
                     : put_names_for_new_table(columns, sketch));
  put(sketch, "writeMode", "insert",
      "replace, update and ignore are there for tables with a key: they make a second run leave no doubles.");
  if (context.mode == sketch_mode::replace) {
    put(sketch, "preSql", json::array({"DELETE FROM @table"}), "Empties the table before the data.");
  }
  put(sketch, "createTable", true,
      table ? "The table is there; nothing is made."
            : "The table is made after the source; sluice ddl prints how.");
  return sketch;
}

result<void> look_for_records(end_sketch& to, sketch_mode mode, const std::function<result<bool>()>& holds) {
  if (mode == sketch_mode::as_it_is || mode == sketch_mode::append) {
    return {};
  }
  auto found = holds();
  if (found) {
    to.holds_records = *found;
    return {};
  }
  if (found.error().kind != error_kind::denied) {
    return fail(std::move(found).error());
  }
  if (mode == sketch_mode::replace) {
    to.holds_records = true;  // as far as anybody knows
    return {};
  }
  return fail(error_kind::denied,
              "{}. Whether the table holds records already cannot be seen: --append adds to them, --replace "
              "takes their place; or grant SELECT",
              found.error().message);
}

void doubt_deleting(const std::vector<referring_key>& keys, end_sketch& to) {
  for (const referring_key& key : keys) {
    to.doubts.push_back(fmt::format(
        "the rows that are there are deleted first, and the foreign key {} of {} then {} the rows there that "
        "refer "
        "to them",
        in_quotes(key.name), in_quotes(key.table), key.deletes ? "deletes" : "takes the reference from"));
  }
}

result<void> put_names_for_table(const target_table& table, const schema& columns, const sql_rules& rules,
                                 end_sketch& to) {
  std::vector<std::string> there;
  std::vector<std::string> writable;
  for (const target_column& c : table.columns) {
    there.push_back(c.name);
    if (!c.generated) {
      writable.push_back(c.name);
    }
  }
  json names = json::array();
  std::vector<std::string> missing;
  std::vector<std::string> computed;
  for (const field& f : columns) {
    const auto found = named_in(f.name, there, rules);
    if (found && table.columns[*found].generated) {
      computed.push_back(in_quotes(there[*found]));
    } else if (found) {
      names.push_back(there[*found]);
    } else {
      missing.push_back(in_quotes(f.name));
    }
  }
  if (missing.empty() && names.empty()) {
    return fail(error_kind::bad_option, "table {} computes {} itself: there is nothing to write to it",
                in_quotes(table.name), fmt::join(computed, ", "));
  }
  if (missing.empty() && !computed.empty()) {
    to.remarks.push_back(
        fmt::format("The table computes {} itself: it is left out.", fmt::join(computed, ", ")));
    put(to, "column", json::array({"*"}));
    put(to, "mapping", "name", "The columns of the table that have the source's names.");
    return {};
  }
  if (missing.empty()) {
    to.remarks.emplace_back("The columns of the table that have the source's names.");
    put(to, "column", std::move(names));
    return {};
  }
  if (names.empty() && computed.empty() && writable.size() == columns.size()) {
    to.remarks.emplace_back(
        "No name is the same at both ends: the columns are paired by position; see whether they fit.");
    to.doubts.push_back(
        fmt::format("no name of a column is the same at both ends: they are paired by position with those of "
                    "table {}",
                    in_quotes(table.name)));
    put(to, "column", json(writable));
    return {};
  }
  return fail(error_kind::bad_option, "table {} has no column for {} of the source; it has {}",
              in_quotes(table.name), fmt::join(missing, ", "), fmt::join(there, ", "));
}

void put_types_of_table(const schema& there, const schema& columns, const sql_rules& rules, end_sketch& to) {
  const std::vector<std::string> names = column_names(there);
  const auto listed = std::find_if(to.options.begin(), to.options.end(), [&](const sketched_option& o) {
    return o.name == "column" && o.value.is_array() && o.value.size() == columns.size();
  });
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool by_list = listed != to.options.end() && listed->value[i] != "*";
    const auto found =
        named_in(by_list ? listed->value[i].get<std::string>() : columns[i].name, names, rules);
    to.columns.push_back(found ? there[*found] : columns[i]);
  }
}

result<void> put_names_for_new_table(const schema& columns, end_sketch& to) {
  json names = json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = columns[i].name.empty() ? fmt::format("column_{}", i + 1) : columns[i].name;
    for (const auto& other : names) {
      if (same_word(other.get<std::string>(), name)) {
        return fail(
            error_kind::bad_option,
            "two columns of the source are called {}, which one table cannot have; write a template and "
            "name them",
            in_quotes(name));
      }
    }
    names.push_back(name);
  }
  put(to, "column", std::move(names));
  return {};
}

}  // namespace sluice::relational
