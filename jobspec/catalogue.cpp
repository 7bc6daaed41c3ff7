#include "jobspec/catalogue.h"

#include <algorithm>
#include <array>

#include "jobspec/words.h"

namespace sluice {
namespace {

// stepTypes of script mode 2.0, job-formats 1.9.
constexpr std::array<std::string_view, 55> script_readers = {"adbpg",
                                                             "ads",
                                                             "analyticdb_for_mysql",
                                                             "apsaradb_for_oceanbase",
                                                             "azureblob",
                                                             "bigquery",
                                                             "clickhouse",
                                                             "databricks",
                                                             "datahub",
                                                             "db2",
                                                             "dlf",
                                                             "dm",
                                                             "doris",
                                                             "drds",
                                                             "elasticsearch",
                                                             "ftp",
                                                             "gbase8a",
                                                             "gdb",
                                                             "hbase",
                                                             "hdfs",
                                                             "hive",
                                                             "holo",
                                                             "hologres",
                                                             "httpfile",
                                                             "hybriddb",
                                                             "iot",
                                                             "kafka",
                                                             "kingbasees",
                                                             "lindorm",
                                                             "loghub",
                                                             "mariadb",
                                                             "metaq",
                                                             "mongodb",
                                                             "mysql",
                                                             "odps",
                                                             "oracle",
                                                             "oss",
                                                             "oss_hdfs",
                                                             "ots",
                                                             "otsstream",
                                                             "polardb",
                                                             "polardbx20",
                                                             "postgresql",
                                                             "redshift",
                                                             "restapi",
                                                             "s3",
                                                             "salesforce",
                                                             "saphana",
                                                             "sqlserver",
                                                             "starrocks",
                                                             "stream",
                                                             "tddl",
                                                             "tidb",
                                                             "tos",
                                                             "vertica"};
constexpr std::array<std::string_view, 59> script_writers = {"adbpg",
                                                             "ads",
                                                             "analyticdb_for_mysql",
                                                             "apsaradb_for_oceanbase",
                                                             "azureblob",
                                                             "bigquery",
                                                             "clickhouse",
                                                             "databricks",
                                                             "datahub",
                                                             "db2",
                                                             "dlf",
                                                             "dm",
                                                             "doris",
                                                             "drds",
                                                             "elasticsearch",
                                                             "ftp",
                                                             "gbase8a",
                                                             "gdb",
                                                             "hbase",
                                                             "hdfs",
                                                             "hive",
                                                             "holo",
                                                             "hologres",
                                                             "hybriddb",
                                                             "iot",
                                                             "kafka",
                                                             "kingbasees",
                                                             "lindorm",
                                                             "loghub",
                                                             "mariadb",
                                                             "metaq",
                                                             "milvus",
                                                             "mongodb",
                                                             "mysql",
                                                             "ocs",
                                                             "odps",
                                                             "opensearch",
                                                             "oracle",
                                                             "oss",
                                                             "oss_hdfs",
                                                             "ots",
                                                             "polardb",
                                                             "polardbx20",
                                                             "postgresql",
                                                             "redis",
                                                             "redshift",
                                                             "restapi",
                                                             "s3",
                                                             "sahistory",
                                                             "salesforce",
                                                             "saphana",
                                                             "selectdb",
                                                             "sqlserver",
                                                             "starrocks",
                                                             "stream",
                                                             "tddl",
                                                             "tos",
                                                             "tsdb",
                                                             "vertica"};

// Names in DataX files: DataX's repository and Addax, job-formats 6.12.
constexpr std::array<std::string_view, 51> datax_readers = {
    "accessreader",    "cassandrareader",  "clickhousereader",   "databendreader",  "datahubreader",
    "datareader",      "dbfreader",        "dorisreader",        "drdsreader",      "elasticsearchreader",
    "excelreader",     "ftpreader",        "gaussdbreader",      "gdbreader",       "hanareader",
    "hbase094xreader", "hbase11xreader",   "hbase11xsqlreader",  "hbase20xreader",  "hbase20xsqlreader",
    "hdfsreader",      "hivereader",       "httpreader",         "influxdb2reader", "jsonfilereader",
    "kafkareader",     "kingbaseesreader", "kudureader",         "loghubreader",    "mongodbreader",
    "mysqlreader",     "obhbasereader",    "oceanbasev10reader", "odpsreader",      "opentsdbreader",
    "oraclereader",    "ossreader",        "otsreader",          "otsstreamreader", "postgresqlreader",
    "rdbmsreader",     "redisreader",      "s3reader",           "sqlitereader",    "sqlserverreader",
    "starrocksreader", "streamreader",     "sybasereader",       "tdenginereader",  "tsdbreader",
    "txtfilereader"};
constexpr std::array<std::string_view, 56> datax_writers = {
    "accesswriter",    "adbmysqlwriter",    "adbpgwriter",     "adswriter",
    "cassandrawriter", "clickhousewriter",  "databendwriter",  "datahubwriter",
    "dbfwriter",       "doriswriter",       "drdswriter",      "elasticsearchwriter",
    "excelwriter",     "ftpwriter",         "gaussdbwriter",   "gdbwriter",
    "greenplumwriter", "hanawriter",        "hbase094xwriter", "hbase11xsqlwriter",
    "hbase11xwriter",  "hbase20xsqlwriter", "hdfswriter",      "hologresjdbcwriter",
    "icebergwriter",   "influxdb2writer",   "kafkawriter",     "kingbaseeswriter",
    "kuduwriter",      "loghubwriter",      "milvuswriter",    "mongodbwriter",
    "mysqlwriter",     "neo4jwriter",       "obhbasewriter",   "oceanbasev10writer",
    "ocswriter",       "odpswriter",        "oraclewriter",    "oscarwriter",
    "osswriter",       "otswriter",         "paimonwriter",    "postgresqlwriter",
    "rdbmswriter",     "rediswriter",       "s3writer",        "selectdbwriter",
    "sqlitewriter",    "sqlserverwriter",   "starrockswriter", "streamwriter",
    "sybasewriter",    "tdenginewriter",    "tsdbwriter",      "txtfilewriter"};

// Keys without a meaning for a run, job-formats 1.4 to 1.6 and 6.1, on whatever level.
constexpr std::array<std::string_view, 27> noise_keys = {"extend",
                                                         "transform",
                                                         "locale",
                                                         "copies",
                                                         "displayName",
                                                         "description",
                                                         "jvmOption",
                                                         "jvmMemory",
                                                         "failoverEnable",
                                                         "isSupportThreeModel",
                                                         "envType",
                                                         "guid",
                                                         "tableComment",
                                                         "indexes",
                                                         "tableType",
                                                         "columnMapping",
                                                         "fieldDelimiterOrigin",
                                                         "selectedDatabase",
                                                         "tunnelQuota",
                                                         "isCompress",
                                                         "useSpecialSecret",
                                                         "enableJsonPrintNull",
                                                         "objectIdOutputType",
                                                         "useSplitVector",
                                                         "socketTimeout",
                                                         "jobInfo",
                                                         "entry"};

// Options, in small letters, that change how fast or under which account data move, but not which.
constexpr std::array<std::string_view, 15> no_data_options = {
    "sockettimeout", "busytimeout",          "connecttimeout", "timeout",    "fetchsize",
    "batchsize",     "batchbytesize",        "splitfactor",    "buffersize", "maxretrytime",
    "retryinterval", "recordnumbeforesleep", "sleeptime",      "username",   "user"};

template <class Names>
bool has_word(const Names& names, std::string_view word) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

}  // namespace

std::span<const std::string_view> catalogue_names(bool reader, dialect d) {
  if (d == dialect::datax) {
    return reader ? std::span<const std::string_view>(datax_readers) : datax_writers;
  }
  return reader ? std::span<const std::string_view>(script_readers) : script_writers;
}

bool is_noise_key(std::string_view key) {
  // Keys that begin so are comments by custom; "$schema" is for editors.
  return key.starts_with('_') || key.starts_with('#') || key.starts_with("//") || key == "$schema" ||
         has_word(noise_keys, key);
}

bool is_no_data_option(std::string_view key) {
  return has_word(no_data_options, lower(key));
}

}  // namespace sluice
