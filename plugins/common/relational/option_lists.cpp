#include <fmt/format.h>

#include "plugins/common/relational/relational_options.h"

namespace sluice::relational {
namespace {

option ignored(std::string name, std::string meaning) {
  return {.name = std::move(name), .meaning = std::move(meaning)};
}

std::vector<option> server_members() {
  return {{.name = "host", .meaning = "Name or address of the server."},
          {.name = "port",
           .type = option_type::integer,
           .meaning = "Its port.",
           .number_min = 1,
           .number_max = 65535}};
}

/// What connects, flat or in an entry of `connection`: the words of URLs, and those of the registry.
std::vector<option> connection_options(const options_dialect& dialect) {
  return {
      {.name = "jdbcUrl",
       .type = option_type::text_list,
       .meaning = fmt::format("The database, `{}`; several addresses of the same one are tried in order.",
                              dialect.sample_url)},
      {.name = "datasource",
       .meaning = "Name of a data source in the registry, in place of the keys that connect."},
      {.name = "address",
       .type = option_type::object_list,
       .meaning = "The servers, tried in order, in place of `jdbcUrl`.",
       .members = server_members()},
      {.name = "host", .meaning = "The one server, in place of `address`, with `port` and `database`."},
      {.name = "port",
       .type = option_type::integer,
       .meaning = "Its port; unset: the product's usual one.",
       .number_min = 1,
       .number_max = 65535},
      {.name = "database",
       .meaning =
           "The database, where `jdbcUrl` does not name it; beside one that names another it is refused."},
      {.name = "username", .meaning = "The account."},
      {.name = "password", .meaning = "Its password.", .secret = true},
      properties_option(),
      {.name = "securityProtocol",
       .meaning = "`authTypeSsl`: TLS, with the server's certificate and name verified.",
       .allowed = {"authTypeNone", "authTypeSsl"}},
      {.name = "truststoreFile",
       .meaning = "PEM file with the certificates to trust, where TLS is asked for, here or in `jdbcUrl`; "
                  "without it the system's."},
      {.name = "truststorePassword", .meaning = "Accepted and ignored: PEM files have none.", .secret = true},
      {.name = "keystoreFile",
       .meaning = "PEM file with the client's certificate, and its key where `keyFile` is not set."},
      {.name = "keystorePassword", .meaning = "Password of the client's key.", .secret = true},
      {.name = "keyFile", .meaning = "PEM file with the client's key."},
      {.name = "clientPassword", .meaning = "Password of the client's key.", .secret = true},
      ignored("driverVersion", "Accepted and ignored: of a Java driver."),
      {.name = "readOnlyDBInstance",
       .type = option_type::object_list,
       .meaning = "Replicas of the servers, which `useReadOnly` reads.",
       .members = server_members()},
  };
}

option split_mode_option(const options_dialect& dialect) {
  option mode = {
      .name = "splitMode",
      .meaning = fmt::format("How a table is split for several pipelines where `splitPk` is not set. "
                             "`none`: it is one split. `auto`: {}",
                             dialect.split_meaning),
      .default_text = "none",
      .datax_default_text = "auto",
      .allowed = {"none", "auto"}};
  if (!dialect.blocks_meaning.empty()) {
    mode.meaning += fmt::format(" `ctid`: {}", dialect.blocks_meaning);
    mode.allowed.emplace_back("ctid");
  }
  return mode;
}

std::vector<option> common_options(const options_dialect& dialect, bool reads) {
  const option table = {.name = "table",
                        .type = option_type::text_list,
                        .meaning = reads ? fmt::format("Tables or views: {}, a list, a range (`t_[0-99]`).",
                                                       dialect.sample_table)
                                         : fmt::format("The table: {}.", dialect.sample_table)};
  const option query = {
      .name = "querySql",
      .type = option_type::text_list,
      .meaning =
          "Queries in place of `table`, `column`, `where` and `splitPk`; each is read as one "
          "split."};
  std::vector<option> members = connection_options(dialect);
  members.push_back(table);
  if (reads) {
    members.push_back(query);
  }
  std::vector<option> list = connection_options(dialect);
  list.push_back(
      {.name = "envType",
       .meaning = "Which variant of the data source: 0 production, 1 development. `--env` overrules it.",
       .default_text = "0"});
  list.push_back(
      {.name = "connection",
       .type = option_type::object_list,
       .meaning = fmt::format("{} What an entry does not say counts as it stands outside, "
                              "where its address is not that of a data source; `properties` of both count.",
                              reads ? "Databases, each with its tables."
                                    : "The form of DataX: a list of one, with `jdbcUrl` and `table`."),
       .members = std::move(members)});
  list.push_back(table);
  if (reads) {
    list.push_back(query);
    list.push_back(
        {.name = "useSpecialSecret",
         .type = option_type::boolean,
         .meaning = "Each entry of `connection` must have an account of its own. Where one has, it is used "
                    "in any case.",
         .default_text = "false"});
  }
  list.push_back({.name = "session",
                  .type = option_type::text_list,
                  .meaning = "Statements that are run on each connection first."});
  list.push_back(
      {.name = "socketTimeout",
       .type = option_type::integer,
       .meaning = "How long a server may be silent while an answer is awaited, in milliseconds; 0: as long "
                  "as it likes.",
       .number_min = 0,
       .number_max = 2'147'483'647});
  list.push_back(ignored("encoding", "Accepted and ignored: texts are UTF-8 on the wire."));
  return list;
}

/// Which of primary and replicas is read.
std::vector<option> replica_options() {
  return {
      {.name = "useReadOnly",
       .type = option_type::boolean,
       .meaning = "Only a replica is read: the first of `readOnlyDBInstance`, then of the servers, that is "
                  "one and is as `checkSlave` and `slaveDelayLimit` ask. Unset: true where the data source "
                  "has a `readOnlyDBInstance`."},
      {.name = "canReadPrimary",
       .type = option_type::boolean,
       .meaning = "With `useReadOnly`: where no replica can be read, the primary is.",
       .default_text = "false"},
      {.name = "checkSlave",
       .type = option_type::boolean,
       .meaning = "A replica is read only if it replicates and is no further behind than `slaveDelayLimit`; "
                  "without a limit, if it has all of the days before its server's today. In force with "
                  "`useReadOnly`, or where it is set.",
       .default_text = "true",
       .datax_default_text = "false"},
      {.name = "slaveDelayLimit",
       .type = option_type::integer,
       .meaning = "How many seconds a replica that is read may be behind its primary.",
       .number_min = 0,
       .number_max = 2'147'483'647},
  };
}

}  // namespace

option properties_option() {
  return {
      .name = "properties",
      .type = option_type::object,
      .meaning = "Properties of the connection by name, as behind `?` in `jdbcUrl`; they overrule those."};
}

std::vector<option> reader_option_list(const options_dialect& dialect) {
  std::vector<option> list = common_options(dialect, true);
  const std::vector<option> own = {
      {.name = "column",
       .type = option_type::text_list,
       .meaning =
           "Columns and expressions in order, or `*` (`t.*` alone, of the table itself, is the same). An "
           "entry that is the name of a column is that column; any other is an SQL expression of one "
           "column. Either may end in `AS name`, which is then the name of the job's column. `*` over "
           "several tables is the columns of the first one, by "
           "name; each must have the same. Not used with `querySql`."},
      {.name = "where", .meaning = "A condition without the word WHERE."},
      {.name = "splitPk",
       .meaning = "A column by whose ranges a table is split. Without it `splitMode` counts."},
      split_mode_option(dialect),
      {.name = "splitFactor",
       .type = option_type::integer,
       .meaning = "Splits for each pipeline that may run at once, where there are several and one table.",
       .default_text = "5",
       .number_min = 1,
       .number_max = 100},
      {.name = "fetchSize",
       .type = option_type::integer,
       .meaning = "Rows asked for at a time, where the product reads by a cursor; 0 and less: the default.",
       .default_text = std::to_string(dialect.fetch_rows),
       .datax_default_text = std::to_string(dialect.fetch_rows_datax)},
      ignored("mandatoryEncoding", "Accepted and ignored, as `encoding`."),
      ignored("hint",
              "Known, and without effect, with a warning: what a hint of the optimizer asks for changes the "
              "time that a query takes, not its rows. `querySql` takes one."),
      ignored("masterSlave",
              "Known, and without effect, with a warning: the servers of the address are read in their "
              "order, or as `useReadOnly` and `canReadPrimary` say."),
  };
  list.insert(list.end(), own.begin(), own.end());
  const std::vector<option> replicas = replica_options();
  list.insert(list.end(), replicas.begin(), replicas.end());
  return list;
}

std::vector<option> writer_option_list(const options_dialect& dialect) {
  std::vector<option> list = common_options(dialect, false);
  std::vector<std::string> modes;
  for (const write_word& word : dialect.write_words) {
    modes.emplace_back(word.word);
  }
  const std::vector<option> own = {
      {.name = "column",
       .type = option_type::text_list,
       .meaning = "Columns in the reader's order, or `*` for all of the table that can be written.",
       .required = true},
      mapping_option(),
      {.name = "writeMode",
       .meaning = std::string(dialect.write_meaning),
       .default_text = "insert",
       .allowed = std::move(modes)},
      {.name = "preSql",
       .type = option_type::text_list,
       .meaning = "Statements before the data. `@table` is the table's name."},
      {.name = "postSql",
       .type = option_type::text_list,
       .meaning = "Statements after the data, likewise. Where one fails it may be edited, with those behind "
                  "it: the same command then runs what is left of them, and moves no data."},
      {.name = "createTable",
       .type = option_type::boolean,
       .meaning =
           "Makes the table where it is missing: columns named and typed after the reader's, and NOT NULL, "
           "primary key and comments where the reader is one table that has them. From the same product its "
           "own types. The run lists what else that table has, and which types lose their meaning; "
           "`sluice ddl JOB` prints the statements.",
       .default_text = "false"},
      {.name = "emptyAsNull",
       .type = option_type::boolean,
       .meaning = "Empty text for a column that has no such value becomes NULL: numbers, times and booleans, "
                  "and json, uuid, addresses, arrays and the like.",
       .default_text = "false",
       .datax_default_text = "true"},
      {.name = "batchSize",
       .type = option_type::integer,
       .meaning = "Rows of one statement, where rows are written by statements.",
       .default_text = std::to_string(dialect.batch_rows),
       .datax_default_text = std::to_string(dialect.batch_rows_datax),
       .number_min = 1,
       .number_max = 1'000'000},
      {.name = "batchByteSize",
       .type = option_type::integer,
       .meaning = "Bytes of one statement; whichever comes first.",
       .default_text = std::to_string(dialect.batch_bytes),
       .number_min = 1024,
       .number_max = 1 << 30},
  };
  list.insert(list.end(), own.begin(), own.end());
  for (const char* key : {"dbNamePattern", "dbRule", "tableNamePattern", "tableRule"}) {
    list.push_back(
        {.name = key,
         .meaning = "Rows to one of several databases or tables by a rule. Write one job for each.",
         .not_supported = true});
  }
  return list;
}

}  // namespace sluice::relational
