#include "jobspec/catalogue.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

// name, title, sides in 2.0, DataX readers, DataX writers, everyday names. Where DataX reads one product
// through the plugin of another (MariaDB as mysql), it stands with the other.
constexpr auto systems = std::to_array<known_system>({
    {"mysql", "MySQL", "rw", "mysqlreader", "mysqlwriter", ""},
    {"postgresql", "PostgreSQL", "rw", "postgresqlreader", "postgresqlwriter", "pg postgres pgsql"},
    {"sqlserver", "SQL Server", "rw", "sqlserverreader", "sqlserverwriter", "mssql"},
    {"oracle", "Oracle", "rw", "oraclereader", "oraclewriter", ""},
    {"clickhouse", "ClickHouse", "rw", "clickhousereader", "clickhousewriter", ""},
    {"mariadb", "MariaDB", "rw", "", "", "maria"},
    {"polardb", "PolarDB", "rw", "polardbreader", "polardbwriter", ""},
    {"polardbx20", "PolarDB-X 2.0", "rw", "", "", "polardbx"},
    {"tddl", "TDDL", "rw", "", "", ""},
    {"drds", "DRDS", "rw", "drdsreader", "drdswriter", ""},
    {"apsaradb_for_oceanbase", "OceanBase", "rw", "oceanbasev10reader", "oceanbasev10writer", "oceanbase"},
    {"obhbase", "OceanBase's HBase interface", "", "obhbasereader", "obhbasewriter", ""},
    {"db2", "DB2", "rw", "", "", ""},
    {"dm", "Dameng", "rw", "", "", "dameng"},
    {"kingbasees", "KingbaseES", "rw", "kingbaseesreader", "kingbaseeswriter", "kingbase"},
    {"gbase8a", "GBase 8a", "rw", "", "", ""},
    {"vertica", "Vertica", "rw", "", "", ""},
    {"saphana", "SAP HANA", "rw", "hanareader", "hanawriter", ""},
    {"redshift", "Redshift", "rw", "", "", ""},
    {"hybriddb", "HybridDB", "rw", "", "", ""},
    {"tidb", "TiDB", "r", "tidbreader", "tidbwriter", ""},
    {"lindorm", "Lindorm", "rw", "", "", ""},
    {"gaussdb", "GaussDB", "", "gaussdbreader", "gaussdbwriter", "opengauss"},
    {"greenplum", "Greenplum", "", "", "greenplumwriter", ""},
    {"sybase", "Sybase", "", "sybasereader", "sybasewriter", ""},
    {"oscar", "Oscar", "", "", "oscarwriter", ""},
    {"access", "Microsoft Access", "", "accessreader", "accesswriter", ""},
    {"rdbms", "Any database with a JDBC driver", "", "rdbmsreader", "rdbmswriter", ""},
    {"analyticdb_for_mysql", "AnalyticDB for MySQL", "rw", "", "adbmysqlwriter", ""},
    {"ads", "AnalyticDB ADS", "rw", "", "adswriter", ""},
    {"adbpg", "AnalyticDB for PostgreSQL", "rw", "", "adbpgwriter", ""},
    {"holo", "Hologres", "rw", "", "hologresjdbcwriter", "hologres"},
    {"starrocks", "StarRocks", "rw", "starrocksreader", "starrockswriter", ""},
    {"doris", "Doris", "rw", "dorisreader", "doriswriter", ""},
    {"selectdb", "SelectDB", "w", "", "selectdbwriter", ""},
    {"databend", "Databend", "", "databendreader", "databendwriter", ""},
    {"odps", "MaxCompute", "rw", "odpsreader", "odpswriter", "maxcompute"},
    {"hive", "Hive", "rw", "hivereader", "", ""},
    {"iceberg", "Iceberg", "", "", "icebergwriter", ""},
    {"paimon", "Paimon", "", "", "paimonwriter", ""},
    {"kudu", "Kudu", "", "kudureader", "kuduwriter", ""},
    {"hdfs", "HDFS", "rw", "hdfsreader", "hdfswriter", ""},
    {"oss", "OSS", "rw", "ossreader", "osswriter", ""},
    {"oss_hdfs", "OSS-HDFS", "rw", "", "", ""},
    {"s3", "S3", "rw", "s3reader", "s3writer", "minio"},
    {"azureblob", "Azure Blob Storage", "rw", "", "", ""},
    {"tos", "TOS", "rw", "", "", ""},
    {"ftp", "FTP, FTPS and SFTP", "rw", "ftpreader", "ftpwriter", "sftp ftps"},
    {"httpfile", "Files over HTTP", "r", "", "", ""},
    {"restapi", "REST API", "rw", "httpreader", "", "rest"},
    {"text", "Local files", "", "txtfilereader", "txtfilewriter", ""},
    {"jsonfile", "Local JSON files", "", "jsonfilereader", "", ""},
    {"excel", "Excel files", "", "excelreader", "excelwriter", ""},
    {"dbf", "DBF files", "", "dbfreader", "dbfwriter", ""},
    {"kafka", "Kafka", "rw", "kafkareader", "kafkawriter", ""},
    {"datahub", "DataHub", "rw", "datahubreader", "datahubwriter", ""},
    {"metaq", "MetaQ", "rw", "", "", ""},
    {"loghub", "Log Service", "rw", "loghubreader", "loghubwriter", "sls"},
    {"mongodb", "MongoDB", "rw", "mongodbreader", "mongodbwriter", "mongo"},
    {"redis", "Redis", "w", "redisreader", "rediswriter", ""},
    {"ocs", "Memcache", "w", "", "ocswriter", "memcache memcached"},
    {"elasticsearch", "Elasticsearch", "rw", "elasticsearchreader", "elasticsearchwriter", "es elastic"},
    {"opensearch", "OpenSearch", "w", "", "", ""},
    {"ots", "Tablestore", "rw", "otsreader", "otswriter", "tablestore"},
    {"otsstream", "Tablestore Stream", "r", "otsstreamreader", "", ""},
    {"cassandra", "Cassandra", "", "cassandrareader", "cassandrawriter", ""},
    {"hbase", "HBase", "rw", "hbase094xreader hbase11xreader hbase20xreader",
     "hbase094xwriter hbase11xwriter", ""},
    {"hbasesql", "HBase through Phoenix", "", "hbase11xsqlreader hbase20xsqlreader",
     "hbase11xsqlwriter hbase20xsqlwriter", "phoenix"},
    {"gdb", "Graph Database", "rw", "gdbreader", "gdbwriter", ""},
    {"neo4j", "Neo4j", "", "", "neo4jwriter", ""},
    {"tsdb", "TSDB", "w", "tsdbreader", "tsdbwriter", ""},
    {"opentsdb", "OpenTSDB", "", "opentsdbreader", "", ""},
    {"tdengine", "TDengine", "", "tdenginereader", "tdenginewriter", ""},
    {"influxdb2", "InfluxDB 2", "", "influxdb2reader", "influxdb2writer", "influxdb"},
    {"milvus", "Milvus", "w", "", "milvuswriter", ""},
    {"bigquery", "BigQuery", "rw", "", "", ""},
    {"databricks", "Databricks", "rw", "", "", ""},
    {"dlf", "Data Lake Formation", "rw", "", "", ""},
    {"salesforce", "Salesforce", "rw", "", "", ""},
    {"iot", "IoT", "rw", "", "", ""},
    {"sahistory", "Sensors Data", "w", "", "", ""},
    {"data", "Addax's generator", "", "datareader", "", ""},
    {"sqlite", "SQLite", "", "sqlitereader", "sqlitewriter", "sqlite3"},
    {"stream", "Generator and sink", "rw", "streamreader", "streamwriter", ""},
});

constexpr std::string_view suffix_of(bool reader) {
  return reader ? "reader" : "writer";
}

/// Calls `see` for each word of a list separated by blanks.
template <class See>
void each_word(std::string_view list, See see) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    see(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool has_word(std::string_view list, std::string_view word) {
  bool found = false;
  each_word(list, [&](std::string_view one) { found = found || one == word; });
  return found;
}

}  // namespace

bool known_system::has_side(bool reader) const {
  return script_sides.find(reader ? 'r' : 'w') != std::string_view::npos ||
         !(reader ? datax_readers : datax_writers).empty();
}

std::span<const known_system> known_systems() {
  return systems;
}

const known_system* find_system(std::string_view name) {
  for (const bool plain : {true, false}) {
    for (const known_system& system : systems) {
      if (plain ? system.name == name || has_word(system.everyday, name)
                : has_word(system.datax_readers, name) || has_word(system.datax_writers, name)) {
        return &system;
      }
    }
  }
  // `hbase11x` for `hbase11xreader`, and `mariadbreader` where DataX has no such name.
  for (const bool reader : {true, false}) {
    const std::string whole = std::string(name) + std::string(suffix_of(reader));
    for (const known_system& system : systems) {
      if (has_word(reader ? system.datax_readers : system.datax_writers, whole)) {
        return &system;
      }
    }
    if (const auto base = without_side(name, reader); base.size() < name.size()) {
      return find_system(base);
    }
  }
  return nullptr;
}

std::string_view step_type_of(std::string_view name) {
  for (const known_system& system : systems) {
    if (has_word(system.everyday, name)) {
      return system.name;
    }
  }
  return name;
}

std::vector<std::string_view> catalogue_names(bool reader, dialect d) {
  std::vector<std::string_view> names;
  for (const known_system& system : systems) {
    if (d == dialect::datax) {
      each_word(reader ? system.datax_readers : system.datax_writers,
                [&](std::string_view name) { names.push_back(name); });
    } else if (system.has_side(reader)) {
      names.push_back(system.name);
      each_word(system.everyday, [&](std::string_view name) { names.push_back(name); });
    }
  }
  return names;
}

std::string_view without_side(std::string_view name, bool reader) {
  const std::string_view suffix = suffix_of(reader);
  return name.size() > suffix.size() && name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size())
                                                               : name;
}

}  // namespace sluice
