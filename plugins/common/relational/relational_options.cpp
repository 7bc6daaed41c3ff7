#include "plugins/common/relational/relational_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "jobspec/option_mistakes.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

constexpr std::size_t tables_max = 10'000;

/// Statements that would end or begin our transactions.
constexpr auto transaction_words = std::to_array<std::string_view>(
    {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "START", "ABORT"});

/// Says each warning once: what stands outside of `connection` is read for each entry.
warning_sink each_once(const warning_sink& warn) {
  if (!warn) {
    return {};
  }
  return [warn, told = std::set<std::string>()](std::string text) mutable {
    if (told.insert(text).second) {
      warn(std::move(text));
    }
  };
}

/// Reads what both sides have: connections, tables, columns.
class end_reader {
 public:
  end_reader(const option_values& flat, const options_dialect& dialect, const warning_sink& warn, bool reads)
      : flat_(flat), dialect_(dialect), warn_(each_once(warn)), reads_(reads) {}

  result<void> read(end_options& out) {
    option_mistakes wrong;
    std::vector<option_values> entries;
    if (wrong.take(flat_.object_list("connection"), entries)) {
      warn_of_unused(entries);
      if (entries.empty()) {
        entries.push_back(flat_);
      }
      for (const option_values& entry : entries) {
        database_part part;
        if (wrong.check(read_part(entry, part))) {
          out.parts.push_back(std::move(part));
        }
      }
    }
    wrong.check(check_parts(out));
    if (wrong.take(placed_texts(flat_, "column", true), out.columns)) {
      wrong.check(check_columns(out));
    }
    wrong.take(placed_texts(flat_, "session"), out.session);
    for (const placed_text& statement : out.session) {
      wrong.check(check_no_transaction(statement));
      wrong.check(check_no_use(statement));
    }
    return wrong.all();
  }

  result<connect_options> read_connection(const option_values& entry) {
    const option_values& where = connecting(entry);
    warn_of_second_server(where);
    SLUICE_TRY(const placed_properties properties, properties_of(entry));
    connect_options out;
    std::string tenant;
    if (where.has("jdbcUrl")) {
      SLUICE_TRY(auto urls, placed_texts(where, "jdbcUrl"));
      SLUICE_TRY(tenant, take_tenant(urls));
      SLUICE_TRY(out, connect_options_of(urls, properties, *dialect_.url, warn_));
      const option_values& named = saying(entry, "database");
      SLUICE_TRY(const auto database, named.text("database"));
      if (database && !out.database.empty() && *database != out.database && &named == &where) {
        return named.bad("database", fmt::format("found {}, and \"jdbcUrl\" beside it names the database {}; "
                                                 "leave one of them out",
                                                 in_quotes(*database), in_quotes(out.database)));
      }
      if (&named == &entry || &named == &where || out.database.empty()) {
        out.database = database.value_or(out.database);
      } else if (warn_ && database && *database != out.database) {
        warn_(fmt::format("{}: has no effect on {}, which names the database {}; leave it out of one of them",
                          named.place("database"), where.place("jdbcUrl"), in_quotes(out.database)));
      }
    } else if (where.has("address")) {
      SLUICE_TRY(const auto servers, read_servers(where, "address"));
      SLUICE_TRY(const auto database, saying(entry, "database").text("database"));
      SLUICE_TRY(out, connect_options_of(servers, database.value_or(""), properties, *dialect_.url, warn_));
      out.place = where.place("address");
    } else if (where.has("host")) {
      SLUICE_TRY(const auto host, where.text("host"));
      SLUICE_TRY(const auto port, saying(entry, "port").integer("port"));
      SLUICE_TRY(const auto database, saying(entry, "database").text("database"));
      const server_address server = {
          without_brackets(host.value_or("")),
          static_cast<std::uint16_t>(port.value_or(dialect_.url->grammar.schemes.front().port))};
      SLUICE_TRY(out, connect_options_of({server}, database.value_or(""), properties, *dialect_.url, warn_));
      out.place = where.place("host");
    } else {
      return fail(
          error_kind::bad_option,
          "{}: the server is not named; set \"jdbcUrl\": \"{}\", or \"datasource\" to a name in the registry",
          where.place("jdbcUrl"), dialect_.sample_url);
    }
    SLUICE_CHECK(read_account(entry, where, out));
    if (out.user.find('@') == std::string::npos) {
      out.user += tenant;
    }
    SLUICE_CHECK(read_tls(entry, out));
    SLUICE_TRY(const auto socket_ms, flat_.integer("socketTimeout"));
    if (socket_ms) {
      out.socket_timeout = std::chrono::milliseconds(*socket_ms);
    }
    return out;
  }

 private:
  /// Takes what stands before the addresses off them: `@tenant#cluster`, as it stands behind a user's name.
  [[nodiscard]] result<std::string> take_tenant(std::vector<placed_text>& urls) const {
    const std::string_view mark = dialect_.tenant_mark;
    std::optional<std::string> tenant;
    for (placed_text& url : urls) {
      std::string its;
      if (!mark.empty() && url.text.starts_with(mark)) {
        const std::size_t end = url.text.find(mark, mark.size());
        const std::size_t colon = std::min(url.text.find(':', mark.size()), end);
        if (end == std::string::npos || colon == end || colon == mark.size() || colon + 1 == end) {
          return fail(error_kind::bad_option, "{}: found an address that begins with {}, expected {}{}{}{}",
                      url.place, in_quotes(mark), mark, "<cluster>:<tenant>", mark, dialect_.sample_url);
        }
        its = fmt::format("@{}#{}", url.text.substr(colon + 1, end - colon - 1),
                          url.text.substr(mark.size(), colon - mark.size()));
        url.text.erase(0, end + mark.size());
      }
      if (tenant && *tenant != its) {
        return fail(error_kind::bad_option, "{}: the addresses are of several tenants; name those of one",
                    url.place);
      }
      tenant = its;
    }
    return tenant.value_or("");
  }

  /// What has the keys that connect.
  [[nodiscard]] const option_values& connecting(const option_values& entry) const {
    return entry.has("jdbcUrl") || entry.has("address") || entry.has("host") ? entry : flat_;
  }

  /// Who says `name` for an entry: the entry, else what stands outside, of which an address of the registry
  /// gets nothing.
  [[nodiscard]] const option_values& saying(const option_values& entry, std::string_view name) const {
    return entry.has(name) || entry.has("address") ? entry : flat_;
  }

  [[nodiscard]] static bool has_account(const option_values& entry) {
    return entry.has("username") || entry.has("password") || entry.has("address");
  }

  /// An entry's properties go before those outside of the same name.
  [[nodiscard]] result<placed_properties> properties_of(const option_values& entry) const {
    SLUICE_TRY(placed_properties own, read_properties(entry));
    if (entry.has("address")) {
      return own;
    }
    SLUICE_TRY(placed_properties all, read_properties(flat_));
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const auto& outside) {
                               return std::any_of(own.begin(), own.end(), [&](const auto& its) {
                                 return same_word(its.first, outside.first);
                               });
                             }),
              all.end());
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }

  /// Whether what stands outside under `name` counts for an entry.
  [[nodiscard]] bool takes(const option_values& entry, std::string_view name) const {
    const bool own_server = &connecting(entry) == &entry;
    if (name == "jdbcUrl" || name == "host") {
      return !own_server;
    }
    if (name == "port") {
      return !entry.has("port") && (!own_server || entry.has("host"));
    }
    if (name == "username" || name == "password") {
      return !has_account(entry);
    }
    if (name == "readOnlyDBInstance") {
      return !own_server && !entry.has(name);
    }
    return !entry.has("address") && (name == "properties" || !entry.has(name));
  }

  /// Keys that connect and stand on the level where they do not count.
  void warn_of_unused(const std::vector<option_values>& entries) const {
    if (!warn_ || entries.empty()) {
      return;
    }
    for (const option_values& entry : entries) {
      for (const char* name : {"envType", "socketTimeout", "useSpecialSecret"}) {
        if (entry.has(name)) {
          warn_(fmt::format("{}: has no effect inside of \"connection\"; write it beside \"connection\"",
                            entry.place(name)));
        }
      }
    }
    // The flat keys are those of a data source, or its like, which the job does not use in addition.
    if (flat_.has("address")) {
      return;
    }
    for (const char* name : {"jdbcUrl", "host", "port", "database", "username", "password", "properties",
                             "securityProtocol", "truststoreFile", "keystoreFile", "keystorePassword",
                             "keyFile", "clientPassword", "readOnlyDBInstance"}) {
      // Of one entry with another address the text's check tells.
      const bool told = std::string_view(name) == "jdbcUrl" && entries.size() == 1 && entries[0].has(name);
      if (flat_.has(name) && !told && std::none_of(entries.begin(), entries.end(), [&](const auto& entry) {
            return takes(entry, name);
          })) {
        warn_(fmt::format(
            "{}: has no effect: each entry of \"connection\" has its own, or an address, "
            "perhaps a data source's, with which this does not go; leave it out, or write it into "
            "the entry or data source that it belongs to",
            flat_.place(name)));
      }
    }
  }

  /// Of several words for the server one counts.
  void warn_of_second_server(const option_values& where) const {
    const std::string_view first = where.has("jdbcUrl") ? "jdbcUrl" : where.has("address") ? "address" : "";
    if (!warn_ || first.empty()) {
      return;
    }
    for (const std::string_view name : {"address", "host", "port"}) {
      if (name != first && where.has(name)) {
        warn_(fmt::format("{}: has no effect beside {}, which names the server; keep one of them",
                          where.place(name), in_quotes(first)));
      }
    }
  }

  /// Which of primary and replicas a reader takes.
  result<void> read_replicas(const option_values& entry, connect_options& out) const {
    const option_values& where = entry.has("readOnlyDBInstance") ? entry : connecting(entry);
    SLUICE_TRY(auto replicas, read_servers(where, "readOnlyDBInstance"));
    SLUICE_TRY(const auto wanted, flat_.boolean("useReadOnly"));
    SLUICE_TRY(const auto primary_too, flat_.boolean("canReadPrimary"));
    SLUICE_TRY(const auto checks, flat_.boolean("checkSlave"));
    SLUICE_TRY(const auto delay, flat_.integer("slaveDelayLimit"));
    const bool uses = wanted.value_or(!replicas.empty());
    const bool says = flat_.has("checkSlave");
    out.replica.looked_at = (delay && !says) || (checks.value_or(false) && (uses || says));
    if (delay) {
      out.replica.delay_max = std::chrono::seconds(*delay);
    }
    if (!uses) {
      return {};
    }
    if (wanted && (out.role == server_role::primary || out.role == server_role::prefer_primary)) {
      return flat_.bad("useReadOnly",
                       "found true, and the address asks for the primary; leave one of them out");
    }
    out.servers.insert(out.servers.begin(), replicas.begin(), replicas.end());
    out.role = primary_too.value_or(false) ? server_role::prefer_standby : server_role::standby;
    return {};
  }

  result<void> read_part(const option_values& entry, database_part& out) {
    SLUICE_TRY(out.connect, read_connection(entry));
    if (reads_) {
      SLUICE_CHECK(read_replicas(entry, out.connect));
      SLUICE_TRY(out.queries, placed_texts(entry.has("querySql") ? entry : flat_, "querySql"));
      for (placed_text& query : out.queries) {
        query.text = without_semicolons(query.text, dialect_.rules);
      }
    }
    const option_values& named = entry.has("table") ? entry : flat_;
    SLUICE_TRY(const auto written, placed_texts(named, "table"));
    if (!out.queries.empty()) {
      if (!written.empty() && flat_.job_dialect() == dialect::datax) {
        return fail(error_kind::bad_option, "{}: found \"table\" beside \"querySql\"; leave one of them out",
                    written[0].place);
      }
      return {};
    }
    std::set<std::string> seen;
    for (const placed_text& text : written) {
      const auto tables = tables_named_by(text.text, dialect_.rules, tables_max);
      if (!tables) {
        return fail(
            error_kind::bad_option,
            "{}: found {}; expected a table's name, or a range such as \"t_[0-99]\" of at most {} tables",
            text.place, in_quotes(text.text), tables_max);
      }
      for (const std::string& table : *tables) {
        if (!name_parts(table, dialect_.rules)) {
          return fail(error_kind::bad_option, "{}: found {}; expected {}", text.place, in_quotes(table),
                      dialect_.sample_table);
        }
        if (!seen.insert(table).second) {
          return fail(error_kind::bad_option, "{}: table {} is named twice; leave one out", text.place,
                      in_quotes(table));
        }
        out.tables.push_back({table, text.place});
      }
    }
    if (out.tables.empty()) {
      return fail(error_kind::bad_option, "{}: no table is named; set \"table\"{}", named.place("table"),
                  reads_ ? " or \"querySql\"" : "");
    }
    return {};
  }

  result<void> check_parts(const end_options& out) const {
    const auto with_queries = static_cast<std::size_t>(std::count_if(
        out.parts.begin(), out.parts.end(), [](const database_part& p) { return !p.queries.empty(); }));
    if (with_queries != 0 && with_queries != out.parts.size()) {
      return flat_.bad("connection",
                       "some entries have \"querySql\" and some \"table\"; use one or the other");
    }
    std::size_t tables = 0;
    for (const database_part& part : out.parts) {
      tables += part.tables.size();
    }
    if (!reads_ && (out.parts.size() > 1 || tables > 1)) {
      return flat_.bad(out.parts.size() > 1 ? "connection" : "table",
                       fmt::format("found {} tables to write to, expected one; use one job a table", tables));
    }
    return {};
  }

  result<void> check_columns(end_options& out) const {
    const bool queries = !out.parts.empty() && !out.parts[0].queries.empty();
    if (out.columns.empty() && !queries) {
      return flat_.bad("column",
                       reads_ ? "no column is named; list the columns, or [\"*\"] for all"
                              : "no column is named; list the table's columns in the reader's order, or "
                                "[\"*\"] for all");
    }
    out.all_columns = std::any_of(out.columns.begin(), out.columns.end(),
                                  [](const placed_text& c) { return trimmed(c.text) == "*"; });
    if (out.all_columns && out.columns.size() > 1 && !queries) {
      return flat_.bad("column", "found \"*\" beside other columns, expected \"*\" alone or names");
    }
    return {};
  }

  result<void> check_no_transaction(const placed_text& statement) const {
    for (const std::string_view word : transaction_words) {
      if (begins_with_word(statement.text, word, dialect_.rules)) {
        return fail(error_kind::bad_option, "{}: found {}; transactions are the engine's own, leave {} out",
                    statement.place, in_quotes(statement.text), word);
      }
    }
    return {};
  }

  /// Tables without a database are those of the address: were the session's another one, what names the
  /// database and what does not would be two.
  [[nodiscard]] result<void> check_no_use(const placed_text& statement) const {
    if (begins_with_word(statement.text, "USE", dialect_.rules)) {
      return fail(error_kind::bad_option,
                  "{}: found {}; tables without a database are those of the address, so take it out and name "
                  "the database in \"jdbcUrl\" (\"database\" of a data source), or before the table",
                  statement.place, in_quotes(statement.text));
    }
    return {};
  }

  /// `[::1]` is an address of IPv6.
  static std::string without_brackets(const std::string& host) {
    const bool brackets = host.starts_with('[') && host.ends_with(']');
    return brackets ? host.substr(1, host.size() - 2) : host;
  }

  static result<std::vector<server_address>> read_servers(const option_values& where,
                                                          const std::string& name) {
    SLUICE_TRY(const auto entries, where.object_list(name));
    std::vector<server_address> servers;
    for (const option_values& entry : entries) {
      SLUICE_TRY(const auto host, entry.text("host"));
      SLUICE_TRY(const auto port, entry.integer("port"));
      if (!host || !port) {
        return entry.bad("host", "expected \"host\" and \"port\"");
      }
      servers.push_back({without_brackets(*host), static_cast<std::uint16_t>(*port)});
    }
    return servers;
  }

  /// An entry's own account, else the flat one, which no address of the registry gets.
  result<void> read_account(const option_values& entry, const option_values& where,
                            connect_options& out) const {
    SLUICE_TRY(const auto special, flat_.boolean("useSpecialSecret"));
    if (special.value_or(false) && !entry.has("username") && &where == &entry) {
      return entry.bad("username",
                       "\"useSpecialSecret\" is true, and this connection has no account of its own; set "
                       "\"username\" and \"password\" there");
    }
    const option_values& account = has_account(entry) ? entry : flat_;
    SLUICE_TRY(const auto user, account.text("username"));
    SLUICE_TRY(auto password, account.secret_of("password"));
    if (user) {
      out.user = *user;
    }
    if (password) {
      out.password = std::move(*password);
    }
    if (out.user.empty()) {
      return account.bad("username", "no user is named; set \"username\"");
    }
    return {};
  }

  /// The files count where TLS is asked for, by the address too, and authorities where it is verified.
  result<void> read_tls(const option_values& entry, connect_options& out) const {
    const option_values& says = saying(entry, "securityProtocol");
    SLUICE_TRY(const auto protocol, says.text("securityProtocol"));
    if (protocol && same_word(*protocol, "authTypeSsl")) {
      out.tls = tls_mode::required;
    }
    const bool verifies = out.tls == tls_mode::required || out.tls == tls_mode::required_chain;
    const bool asked = verifies || out.tls == tls_mode::required_unverified;
    const auto file = [&](const std::string& name, bool with_key, std::string& to) -> result<void> {
      const option_values& where = saying(entry, name);
      SLUICE_TRY(const auto path, where.text(name));
      if (path && !path->empty() && !(with_key ? asked : verifies)) {
        if (warn_ && (!protocol || &says == &where)) {  // outside it may be for other entries
          warn_(
              fmt::format("{}: has no effect, because TLS is {}; set \"securityProtocol\" to "
                          "\"authTypeSsl\" beside it, or leave it out",
                          where.place(name), to_string(out.tls)));
        }
        return {};
      }
      if (path) {
        if (const auto why = why_not_pem(*path, with_key)) {
          return where.bad(name, *why);
        }
        to = *path;
      }
      return {};
    };
    SLUICE_CHECK(file("truststoreFile", false, out.ca_file));
    SLUICE_CHECK(file("keystoreFile", true, out.cert_file));
    SLUICE_CHECK(file("keyFile", true, out.key_file));
    for (const char* name : {"keystorePassword", "clientPassword"}) {
      if (!asked) {
        break;
      }
      SLUICE_TRY(auto password, saying(entry, name).secret_of(name));
      if (password) {
        out.key_password = std::move(*password);
      }
    }
    return {};
  }

  const option_values& flat_;
  const options_dialect& dialect_;
  warning_sink warn_;
  bool reads_;
};

/// A text that begins with insert, replace or update, in any case (job-formats 6.6), as far as it is one of
/// the product's words: what follows would have gone into the statement, and is not guessed at here.
result<write_mode> mode_of(const option_values& values, const options_dialect& dialect,
                           const warning_sink& warn) {
  SLUICE_TRY(const auto text, values.text("writeMode"));
  std::string words;
  for (const char c : lower(trimmed(text.value_or("insert")))) {
    if (c != ' ' || !words.ends_with(' ')) {
      words += c;
    }
  }
  std::vector<std::string_view> modes;
  for (const write_word& w : dialect.write_words) {
    if (w.word == words) {
      if (w.word.ends_with(')') && warn) {
        warn(
            fmt::format("{}: what stands in brackets behind {} has no effect: the table's keys say which row "
                        "is meant, and \"updateColumn\" what of it is updated",
                        values.place("writeMode"), to_string(w.mode)));
      }
      return w.mode;
    }
    if (w.word.find_first_of(" (") == std::string_view::npos) {
      modes.push_back(w.word);
    }
  }
  return values.bad("writeMode", fmt::format("found {}, expected one of {}", in_quotes(text.value_or("")),
                                             fmt::join(modes, ", ")));
}

}  // namespace

std::string_view to_string(write_mode mode) {
  constexpr std::array<std::string_view, 5> names = {"insert", "copy", "replace", "update", "ignore"};
  return names[static_cast<std::size_t>(mode)];
}

result<placed_properties> read_properties(const option_values& where) {
  SLUICE_TRY(const option_values object, where.object("properties"));
  placed_properties out;
  if (!object.json().is_object()) {
    return out;
  }
  const auto secrets = object.secrets_by_path();
  for (const auto& [name, value] : object.json().items()) {
    const auto secret = secrets.find(fmt::format("{}.{}", object.path(), name));
    placed_text text{value.is_string() ? value.get<std::string>() : value.dump(), object.place(name), {}};
    if (secret != secrets.end()) {
      text.secret = secret->second;
    }
    out.emplace_back(name, std::move(text));
  }
  return out;
}

result<std::vector<placed_text>> placed_texts(const option_values& values, const std::string& name,
                                              bool as_written) {
  SLUICE_TRY(const auto texts, values.text_list(name));
  const bool list = values.json().contains(name) && values.json()[name].is_array();
  std::vector<placed_text> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (const std::string_view text = trimmed(texts[i]); !text.empty()) {
      out.push_back({as_written ? texts[i] : std::string(text),
                     values.place(list ? fmt::format("{}[{}]", name, i) : name)});
    }
  }
  return out;
}

result<std::vector<placed_text>> read_steps(const option_values& values, const std::string& name,
                                            const sql_rules& rules) {
  SLUICE_TRY(auto steps, placed_texts(values, name));
  for (const placed_text& step : steps) {
    for (const std::string_view word : transaction_words) {
      if (begins_with_word(step.text, word, rules)) {
        return fail(error_kind::bad_option,
                    "{}: found {}; each statement runs in a transaction of Sluice's own, leave {} out",
                    step.place, in_quotes(step.text), word);
      }
    }
  }
  return steps;
}

std::string end_options::option_default(std::string_view name) const {
  for (const database_part& part : parts) {
    for (const auto& [option, value] : part.connect.option_defaults) {
      if (option == name) {
        return value;
      }
    }
  }
  return "";
}

namespace {

/// A condition stands in brackets of ours, which one of its own must not close: of `a) OR (b` only half would
/// be bound by the conditions beside it.
result<void> check_stands_alone(std::string_view where, const option_values& values, const sql_rules& rules) {
  std::size_t open = 0;
  for (const sql_token& token : tokens_of(where, rules)) {
    if (token.kind != token_kind::symbol || (token.text != "(" && token.text != ")")) {
      continue;
    }
    if (token.text == ")" && open == 0) {
      return values.bad("where",
                        fmt::format("found {}, in which a \")\" closes nothing; expected a condition "
                                    "that stands alone, such as \"(a) OR (b)\"",
                                    in_quotes(where)));
    }
    open = token.text == "(" ? open + 1 : open - 1;
  }
  return {};
}

}  // namespace

result<reader_options> read_reader_options(const option_values& values, const options_dialect& dialect,
                                           const warning_sink& warn, bool strict) {
  reader_options out;
  option_mistakes wrong;
  wrong.check(end_reader(values, dialect, warn, true).read(out));
  out.queries = !out.parts.empty() && !out.parts[0].queries.empty();
  for (const auto& [key, instead] :
       {std::pair("hint", "write the hint into \"querySql\""),
        std::pair("masterSlave", "say with \"useReadOnly\" and \"canReadPrimary\" what is read")}) {
    if (warn && values.has(key)) {
      warn(fmt::format("{}: has no effect; {}, or leave it out", values.place(key), instead));
    }
  }
  std::optional<std::string> text;
  if (wrong.take(values.text("where"), text)) {
    out.where = without_semicolons(text.value_or(""), dialect.rules);
    out.where_place = values.place("where");
    wrong.check(check_stands_alone(out.where, values, dialect.rules));
  }
  if (wrong.take(values.text("splitPk"), text)) {
    const std::string key = text.value_or("");
    out.split_pk = bare_name(key, dialect.rules);
    out.split_pk_place = values.place("splitPk");
    const auto tokens = tokens_of(key, dialect.rules);
    if (std::any_of(tokens.begin(), tokens.end(), [](const sql_token& t) { return t.text == ","; })) {
      wrong.check<void>(values.bad("splitPk", fmt::format("found {}, expected one column", in_quotes(key))));
    }
  }
  if (wrong.take(values.text("splitMode"), text)) {
    const bool counts = values.has("splitMode") || !strict;
    out.split = !counts          ? split_mode::none
                : text == "auto" ? split_mode::automatic
                : text == "ctid" ? split_mode::blocks
                                 : split_mode::none;
  }
  std::optional<std::int64_t> number;
  if (wrong.take(values.integer("splitFactor"), number)) {
    out.split_factor = static_cast<std::uint32_t>(number.value_or(out.split_factor));
  }
  const bool datax = values.job_dialect() == sluice::dialect::datax;
  out.fetch_rows = datax ? dialect.fetch_rows_datax : dialect.fetch_rows;
  // Jobs for some drivers ask for a stream with a negative number.
  if (wrong.take(values.integer("fetchSize"), number) && number && *number > 0) {
    out.fetch_rows = static_cast<std::uint32_t>(std::min<std::int64_t>(*number, UINT32_MAX));
  }
  SLUICE_CHECK(wrong.all());
  return out;
}

option mapping_option() {
  return {.name = "mapping",
          .meaning =
              "`position`: the reader's first column goes to the first one here. `name`: each of the "
              "reader's columns goes to the one of its name, exactly, else ignoring case.",
          .default_text = "position",
          .allowed = {"position", "name"}};
}

result<bool> maps_by_name(const option_values& values) {
  SLUICE_TRY(const auto how, values.text("mapping"));
  return how == "name";
}

result<writer_options> read_writer_options(const option_values& values, const options_dialect& dialect,
                                           const warning_sink& warn) {
  writer_options out;
  option_mistakes wrong;
  wrong.check(end_reader(values, dialect, warn, false).read(out));
  wrong.take(mode_of(values, dialect, warn), out.mode);
  out.write_mode_place = values.place("writeMode");
  wrong.take(read_steps(values, "preSql", dialect.rules), out.pre_sql);
  wrong.take(read_steps(values, "postSql", dialect.rules), out.post_sql);
  wrong.take(maps_by_name(values), out.by_name);
  std::optional<bool> flag;
  if (wrong.take(values.boolean("createTable"), flag)) {
    out.create_table = flag.value_or(false);
  }
  if (wrong.take(values.boolean("emptyAsNull"), flag)) {
    out.empty_as_null = flag.value_or(false);
  }
  const bool datax = values.job_dialect() == sluice::dialect::datax;
  out.batch_rows = datax ? dialect.batch_rows_datax : dialect.batch_rows;
  out.batch_bytes = dialect.batch_bytes;
  std::optional<std::int64_t> number;
  if (wrong.take(values.integer("batchSize"), number) && number) {
    out.batch_rows = static_cast<std::uint32_t>(*number);
  }
  if (wrong.take(values.integer("batchByteSize"), number) && number) {
    out.batch_bytes = static_cast<std::uint64_t>(*number);
  }
  SLUICE_CHECK(wrong.all());
  return out;
}

result<connect_options> read_connect_options(const option_values& values, const options_dialect& dialect,
                                             const warning_sink& warn) {
  SLUICE_TRY(const auto entries, values.object_list("connection"));
  return end_reader(values, dialect, warn, true).read_connection(entries.empty() ? values : entries[0]);
}

std::string with_table(std::string_view sql, std::string_view table) {
  constexpr std::string_view word = "@table";
  std::string out(sql);
  for (std::size_t at = out.find(word); at != std::string::npos; at = out.find(word, at + table.size())) {
    out.replace(at, word.size(), table);
  }
  return out;
}

void once_warner::operator()(const std::string& place, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    std::string warning = fmt::format("{}: {}", place, text);
    if (sink_ && told_.insert(warning).second) {
      sink_(std::move(warning));
    }
  }
}

}  // namespace sluice::relational
