#include "jobspec/datasource_types.h"

#include <algorithm>
#include <initializer_list>

#include "jobspec/words.h"

namespace sluice {
namespace {

using keys = std::vector<option>;
using rule = datasource_rule;

option needed(std::string name, std::string meaning) {
  return {.name = std::move(name), .meaning = std::move(meaning), .required = true};
}
option optional_key(std::string name, std::string meaning) {
  return {.name = std::move(name), .meaning = std::move(meaning)};
}
option word(std::string name, std::string meaning, std::vector<std::string> allowed, bool required = false) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .required = required,
          .allowed = std::move(allowed)};
}
option hidden(std::string name, std::string meaning, bool required = false) {
  return {.name = std::move(name), .meaning = std::move(meaning), .required = required, .secret = true};
}
option free_object(std::string name, std::string meaning) {
  return {.name = std::move(name), .type = option_type::object, .meaning = std::move(meaning)};
}

option address_list(std::string name, std::string meaning) {
  return {.name = std::move(name),
          .type = option_type::object_list,
          .meaning = std::move(meaning),
          .required = true,
          .members = {needed("host", "Name or address of the server."),
                      {.name = "port",
                       .type = option_type::integer,
                       .meaning = "Its port.",
                       .required = true,
                       .number_min = 1,
                       .number_max = 65535}}};
}
option address() {
  return address_list("address", "The servers, a list of `{\"host\": …, \"port\": …}`.");
}
option username() {
  return needed("username", "The account.");
}
option password(bool required = true) {
  return hidden("password", "Its password.", required);
}
option database() {
  return needed("database", "The database.");
}
option properties() {
  return free_object("properties", "Further properties of the connection, by name.");
}
option region() {
  return needed("regionId", "The cloud's region.");
}
option endpoint() {
  return needed("endpoint", "Address of the service.");
}
option access_id(bool required = true) {
  option o = optional_key("accessId", "Id of the access key.");
  o.required = required;
  return o;
}
option access_key(bool required = true) {
  return hidden("accessKey", "The access key's secret.", required);
}

keys joined(std::initializer_list<keys> parts) {
  keys all;
  for (const keys& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Certificates in Java's stores, as the registry of DataWorks names them.
keys stores() {
  return {optional_key("truststoreFile", "File with the certificates to trust."),
          hidden("truststorePassword", "Its password."),
          optional_key("keystoreFile", "File with the client's certificate and key."),
          hidden("keystorePassword", "Its password.")};
}
keys tls(std::string none, std::string ssl) {
  return joined(
      {{word("securityProtocol", "Whether the connection is encrypted.", {std::move(none), std::move(ssl)})},
       stores()});
}
keys kerberos() {
  return {{.name = "haveKerberos", .type = option_type::boolean, .meaning = "Whether Kerberos is used."},
          optional_key("kerberosPrincipal", "The Kerberos principal."),
          optional_key("kerberosKeytabFilePath", "File with its keytab.")};
}
keys relational() {
  return {address(), database(), username(), password(), properties()};
}

const std::vector<std::string> store_files = {"truststoreFile", "keystoreFile"};

std::vector<datasource_type> databases() {
  return {
      {.name = "clickhouse",
       .plugins = {"clickhouse"},
       .meaning = "ClickHouse, over HTTP",
       .keys = joined({relational(),
                       {word("securityProtocol", "Whether the connection is encrypted.",
                             {"authTypeNone", "authTypeSsl"}),
                        optional_key("sslRootCertificateFile", "File with the certificates to trust.")}}),
       .paths = {"sslRootCertificateFile"}},
      {.name = "doris",
       .plugins = {"doris"},
       .meaning = "Doris",
       .keys = joined({relational(), {address_list("loadAddress", "HTTP addresses of the front ends.")}})},
      {.name = "hologres",
       .plugins = {"holo", "hologres"},
       .meaning = "Hologres",
       .keys = joined(
           {{region(), needed("instanceId", "The instance."), database(),
             optional_key("warehouseName", "The computing group."), needed("authType", "How to log in."),
             optional_key("securityProtocol", "Whether the connection is encrypted."),
             optional_key("sslMode", "How certificates are checked.")}}),
       .instance_mode = true},
      {.name = "mysql",
       .plugins = {"mysql", "mariadb"},
       .meaning = "MySQL or MariaDB",
       .keys = joined(
           {relational(),
            tls("authTypeNone", "authTypeSsl"),
            {optional_key("driverVersion", "Of the Java driver; without effect here."),
             {.name = "readOnlyDBInstance",
              .type = option_type::object_list,
              .meaning =
                  "Replicas, each with `host` and `port`: read unless a job's `useReadOnly` is false."}}}),
       .paths = store_files,
       .aliases = {"mariadb", "polardb", "polardbx20", "tidb", "apsaradb_for_oceanbase",
                   "analyticdb_for_mysql"}},
      {.name = "oracle",
       .plugins = {"oracle"},
       .meaning = "Oracle",
       .keys = joined({{needed("jdbcUrl", "`jdbc:oracle:thin:@host:port:SID`."), username(), password()},
                       tls("authTypeNone", "authTypeSsl")}),
       .paths = store_files},
      {.name = "postgresql",
       .plugins = {"postgresql"},
       .meaning = "PostgreSQL",
       .keys = joined({relational(),
                       {word("securityProtocol", "Whether the connection is encrypted.",
                             {"AuthTypeNone", "AuthTypeSsl"}),
                        optional_key("truststoreFile", "File with the certificates to trust."),
                        optional_key("keystoreFile", "File with the client's certificate."),
                        optional_key("keyFile", "File with the client's key."),
                        hidden("clientPassword", "The key's password.")}}),
       .paths = {"truststoreFile", "keystoreFile", "keyFile"},
       .aliases = {"hybriddb", "hybriddb_for_postgresql", "adbpg", "analyticdb_for_postgresql", "kingbasees",
                   "gaussdb", "opengauss"}},
      {.name = "selectdb",
       .plugins = {"selectdb"},
       .meaning = "SelectDB",
       .keys = joined({relational(), {address_list("loadAddress", "HTTP addresses of the front ends.")}})},
      {.name = "sqlite",
       .plugins = {"sqlite"},
       .meaning = "A SQLite file",
       .keys = {optional_key("path", "The database file."),
                optional_key("jdbcUrl", "The same as `jdbc:sqlite:<path>`, with parameters behind `?`."),
                properties()},
       .rules = {{rule::kind::one_of, {"path", "jdbcUrl"}}},
       .paths = {"path"},
       .binding = datasource_binding::sqlite_file},
      {.name = "sqlserver",
       .plugins = {"sqlserver"},
       .meaning = "SQL Server",
       .keys = joined({relational(), tls("authTypeNone", "authTypeSsl")}),
       .paths = store_files},
      {.name = "starrocks",
       .plugins = {"starrocks"},
       .meaning = "StarRocks",
       .keys = joined({relational(), {address_list("loadAddress", "HTTP addresses of the front ends.")}})},
  };
}

std::vector<datasource_type> stores_and_files() {
  const auto auth = [](bool required) {
    return word("authType", "How to log in: a role of the cloud, or an access key.", {"RamRole", "Ak"},
                required);
  };
  const rule keys_with_ak{rule::kind::needs, {"accessId", "accessKey"}, "authType", {"Ak"}};
  return {
      {.name = "ftp",
       .plugins = {"ftp"},
       .meaning = "FTP, SFTP or FTPS",
       .keys = {word("protocol", "Which of the three.", {"ftp", "sftp", "ftps"}, true),
                needed("host", "Name or address of the server."),
                {.name = "port",
                 .type = option_type::integer,
                 .meaning = "Its port.",
                 .required = true,
                 .number_min = 1,
                 .number_max = 65535},
                optional_key("baseDir", "Folder that relative paths are below."),
                username(),
                password(false),
                word("securityProtocol", "Log in with a password or a key.",
                     {"passwordAuth", "authTypeSshKey"}),
                optional_key("sshKeyFile", "File with the key.")},
       .rules = {{rule::kind::needs, {"sshKeyFile"}, "securityProtocol", {"authTypeSshKey"}},
                 {rule::kind::needs, {"password"}, "securityProtocol", {"passwordAuth"}}},
       .paths = {"sshKeyFile"}},
      {.name = "hdfs",
       .plugins = {"hdfs"},
       .meaning = "HDFS",
       .keys = joined({{needed("defaultFS", "Address of the name node, `hdfs://host:port`."),
                        free_object("hadoopConfig", "Further settings of Hadoop, by name.")},
                       kerberos()}),
       .paths = {"kerberosKeytabFilePath"}},
      {.name = "hive",
       .plugins = {"hive"},
       .meaning = "Hive",
       .keys =
           joined({{address(), database(),
                    word("metaType", "Where the tables are described.", {"HiveMetastore", "DLF1.0"}, true),
                    needed("metastoreUris", "Addresses of the metastore, `thrift://host:port`."),
                    needed("version", "Version of Hive."),
                    optional_key("defaultFS", "Address of the name node, `hdfs://host:port`."),
                    word("loginMode", "How to log in.", {"Anonymous", "LDAP"}, true),
                    optional_key("username", "The account."), password(false),
                    free_object("hiveConfig", "Further settings of Hive, by name.")},
                   kerberos()}),
       .rules = {{rule::kind::needs, {"username", "password"}, "loginMode", {"LDAP"}}},
       .paths = {"kerberosKeytabFilePath"}},
      {.name = "httpfile",
       .plugins = {"httpfile"},
       .meaning = "Files over HTTP",
       .keys = {needed("urlPrefix", "What the addresses of the files begin with."),
                {.name = "defaultHeaders",
                 .type = option_type::object,
                 .meaning = "Headers of each request, by name; their values are secrets.",
                 .required = true,
                 .secret = true}}},
      {.name = "localfile",
       .plugins = {"text"},
       .meaning = "Files of this machine",
       .keys = {needed("baseDir", "Folder that relative paths of a job are below.")},
       .paths = {"baseDir"},
       .binding = datasource_binding::base_folder},
      {.name = "maxcompute",
       .plugins = {"odps"},
       .meaning = "MaxCompute",
       .keys = {needed("project", "The project."), region(),
                word("endpointMode", "Whether the addresses follow from the region.",
                     {"SelfAdaption", "Custom"}, true),
                optional_key("endpoint", "Address of the service."),
                optional_key("tunnelServer", "Address of the tunnel service."),
                needed("authType", "How to log in."), optional_key("authIdentity", "As whom."),
                access_id(false), access_key(false)},
       .rules = {{rule::kind::needs, {"endpoint"}, "endpointMode", {"Custom"}}, keys_with_ak}},
      {.name = "oss",
       .plugins = {"oss", "oss_hdfs"},
       .meaning = "OSS",
       .keys = {region(), endpoint(), needed("bucket", "The bucket."), auth(true),
                optional_key("authIdentity", "The role."), access_id(false), access_key(false)},
       .rules = {keys_with_ak}},
      {.name = "s3",
       .plugins = {"s3"},
       .meaning = "S3",
       .keys = {region(), endpoint(), needed("bucket", "The bucket."), access_id(), access_key()}},
  };
}

std::vector<datasource_type> services() {
  return {
      {.name = "elasticsearch",
       .plugins = {"elasticsearch"},
       .meaning = "Elasticsearch",
       .keys = {endpoint(), word("authEnable", "Whether it asks for a login.", {"enable", "disable"}, true),
                optional_key("username", "The account."), password(false)},
       .rules = {{rule::kind::needs, {"username", "password"}, "authEnable", {"enable"}}}},
      {.name = "kafka",
       .plugins = {"kafka"},
       .meaning = "Kafka",
       .keys = joined(
           {{address(), word("version", "Version of the protocol.", {"2.0", "3.4"}, true),
             word("securityProtocol", "How the connection is secured.",
                  {"authTypeNone", "authTypeSaslSsl", "authTypeSaslPlaintext", "authTypeSsl"}, true),
             word("saslMechanism", "How to log in.", {"gssapi", "plain", "scram-sha-256", "scram-sha-512"}),
             optional_key("saslUsername", "The account."), hidden("saslPassword", "Its password."),
             free_object("kafkaConfig", "Further settings of the client, by name.")},
            stores(),
            kerberos()}),
       .rules = {{rule::kind::needs,
                  {"saslMechanism"},
                  "securityProtocol",
                  {"authTypeSaslSsl", "authTypeSaslPlaintext"}},
                 {rule::kind::needs,
                  {"saslUsername", "saslPassword"},
                  "saslMechanism",
                  {"plain", "scram-sha-256", "scram-sha-512"}}},
       .paths = {"truststoreFile", "keystoreFile", "kerberosKeytabFilePath"}},
      {.name = "loghub",
       .plugins = {"loghub"},
       .meaning = "Log Service",
       .keys = {region(), endpoint(), needed("project", "The project."), access_id(), access_key()}},
      {.name = "mongodb",
       .plugins = {"mongodb"},
       .meaning = "MongoDB",
       .keys = {address(), database(), username(), password(), needed("authDb", "Database of the accounts."),
                optional_key("engineVersion", "Version of the server."),
                optional_key("authType", "How to log in."), properties()}},
      {.name = "redis",
       .plugins = {"redis"},
       .meaning = "Redis",
       .keys = joined(
           {{address(), password(), needed("securityProtocol", "Whether the connection is encrypted.")},
            stores()}),
       .paths = store_files},
      {.name = "restapi",
       .plugins = {"restapi"},
       .meaning = "A REST API",
       .keys = {needed("url", "The address."),
                {.name = "defaultHeader",
                 .type = option_type::object,
                 .meaning = "Headers of each request, by name; their values are secrets.",
                 .secret = true},
                word("securityProtocol", "How to log in.", {"authTypeNone", "basic", "token"}, true),
                optional_key("username", "The account."),
                password(false),
                hidden("authToken", "The token.")},
       .rules = {{rule::kind::needs, {"username", "password"}, "securityProtocol", {"basic"}},
                 {rule::kind::needs, {"authToken"}, "securityProtocol", {"token"}}}},
      {.name = "tablestore",
       .plugins = {"ots", "otsstream"},
       .meaning = "Tablestore",
       .keys = {region(), endpoint(), needed("instanceName", "The instance."), access_id(), access_key()}},
  };
}

std::vector<datasource_type> all_types() {
  std::vector<datasource_type> all = databases();
  for (auto&& part : {stores_and_files(), services()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end(),
            [](const datasource_type& a, const datasource_type& b) { return a.name < b.name; });
  return all;
}

}  // namespace

const std::vector<datasource_type>& datasource_types() {
  static const std::vector<datasource_type> types = all_types();
  return types;
}

const datasource_type* find_datasource_type(std::string_view name) {
  const auto& types = datasource_types();
  const auto at = std::find_if(types.begin(), types.end(), [&](const datasource_type& type) {
    return same_word(type.name, name) ||
           std::any_of(type.aliases.begin(), type.aliases.end(),
                       [&](const std::string& alias) { return same_word(alias, name); });
  });
  return at == types.end() ? nullptr : &*at;
}

}  // namespace sluice
