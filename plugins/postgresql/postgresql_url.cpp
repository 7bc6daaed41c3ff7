#include "plugins/postgresql/postgresql_url.h"

#include <array>

namespace sluice::postgresql {
namespace {

using use = relational::property_use;
using relational::property_word;
using relational::url_property;

constexpr auto only_version_3 = std::to_array<property_word>({{"3", ""}, {"3.0", ""}});
constexpr auto tls_modes = std::to_array<property_word>({{"disable", "off"},
                                                         {"allow", "prefer_none"},
                                                         {"prefer", "preferred"},
                                                         {"require", "required_unverified"},
                                                         {"verify-ca", "required_chain"},
                                                         {"verify-full", "required"}});
constexpr auto tls_factories =
    std::to_array<property_word>({{"org.postgresql.ssl.nonvalidatingfactory", "trust_all"},
                                  {"org.postgresql.ssl.libpqfactory", ""},
                                  {"org.postgresql.ssl.jdbc4.libpqfactory", ""},
                                  {"org.postgresql.ssl.defaultjavasslfactory", ""},
                                  {"", ""}});
constexpr auto only_postgres = std::to_array<property_word>({{"postgres", ""}});
constexpr auto not_demanded = std::to_array<property_word>({{"disable", ""}, {"allow", ""}, {"prefer", ""}});
constexpr auto no_kerberos = std::to_array<property_word>({{"disable", ""}, {"allow", ""}, {"prefer", ""}});
constexpr auto server_types = std::to_array<property_word>({{"any", "any"},
                                                            {"primary", "primary"},
                                                            {"master", "primary"},
                                                            {"slave", "standby"},
                                                            {"secondary", "standby"},
                                                            {"preferslave", "prefer_standby"},
                                                            {"prefersecondary", "prefer_standby"},
                                                            {"preferprimary", "prefer_primary"}});
constexpr auto session_attributes = std::to_array<property_word>({{"any", "any"},
                                                                  {"read-write", "primary"},
                                                                  {"primary", "primary"},
                                                                  {"read-only", "standby"},
                                                                  {"standby", "standby"},
                                                                  {"prefer-standby", "prefer_standby"}});

/// A property without a reason changes only how the driver itself works.
constexpr auto properties = std::to_array<url_property>({
    // Who and where.
    {"user", use::user},
    {"password", use::password},
    {"dbname", use::database},
    {"PGDBNAME", use::database},
    {"host", use::refused, "servers stand before the database: jdbc:postgresql://<host>:<port>/<database>"},
    {"hostaddr", use::refused,
     "servers stand before the database: jdbc:postgresql://<host>:<port>/<database>"},
    {"port", use::refused, "servers stand before the database: jdbc:postgresql://<host>:<port>/<database>"},
    {"PGHOST", use::refused, "servers stand before the database: jdbc:postgresql://<host>:<port>/<database>"},
    {"PGPORT", use::refused, "servers stand before the database: jdbc:postgresql://<host>:<port>/<database>"},
    {"service", use::refused,
     "nothing outside the job names a server; write host, port and database into the address"},
    {"passfile", use::refused, "nothing outside the job logs in; set \"password\" to ${file:…}"},
    {"authenticationPluginClassName", use::refused,
     "classes of Java's cannot log in; set \"password\" to ${cmd:…}"},
    // Waits and the wire.
    {"connectTimeout", use::connect_s},
    {"connect_timeout", use::connect_s},
    {"loginTimeout", use::connect_s},
    {"socketTimeout", use::socket_s},
    {"statementTimeout", use::statement_ms},
    {"cancelSignalTimeout", use::harmless},
    {"sslResponseTimeout", use::harmless},
    {"gssResponseTimeout", use::harmless},
    {"tcpKeepAlive", use::keepalive},
    {"keepalives", use::keepalive},
    {"keepalives_idle", use::harmless},
    {"keepalives_interval", use::harmless},
    {"keepalives_count", use::harmless},
    {"tcp_user_timeout", use::harmless},
    {"tcpNoDelay", use::harmless},
    {"receiveBufferSize", use::harmless},
    {"sendBufferSize", use::harmless},
    {"maxSendBufferSize", use::harmless},
    {"maxResultBuffer", use::harmless},
    {"socketFactory", use::refused,
     "connections are TCP, to localhost too; take it out and give host and port"},
    {"socketFactoryArg", use::refused,
     "connections are TCP, to localhost too; take it out and give host and port"},
    {"protocolVersion", use::harmless, "version 3 is spoken", "", only_version_3},
    {"min_protocol_version", use::harmless},
    {"max_protocol_version", use::harmless},
    {"requireauth", use::refused, "how to log in is the server's choice; take it out"},
    {"channelBinding", use::harmless,
     "channel binding is not demanded; sslmode verify-full tells the server as surely", "", not_demanded},
    {"channel_binding", use::harmless,
     "channel binding is not demanded; sslmode verify-full tells the server as surely", "", not_demanded},
    // TLS.
    {"ssl", use::tls_on},
    {"requiressl", use::tls_needed},
    {"sslmode", use::tls_mode, "", "", tls_modes},
    {"sslfactory", use::tls_factory,
     "a class of Java's cannot look at certificates here; set sslmode and sslrootcert", "", tls_factories},
    {"sslfactoryarg", use::harmless},
    {"sslhostnameverifier", use::refused,
     "a class of Java's cannot look at names here; sslmode verify-full looks at the name, verify-ca does "
     "not"},
    {"sslrootcert", use::ca_file},
    {"sslcert", use::cert_file},
    {"sslkey", use::key_file},
    {"sslpassword", use::key_password},
    {"sslpasswordcallback", use::refused, "set sslpassword to ${cmd:…}"},
    {"sslcrl", use::refused, "lists of revoked certificates are not looked at"},
    {"sslnegotiation", use::harmless, "TLS is asked for within the protocol", "", only_postgres},
    {"sslcompression", use::harmless},
    {"sslsni", use::harmless},
    {"ssl_min_protocol_version", use::harmless},
    {"ssl_max_protocol_version", use::harmless},
    {"sslcertmode", use::harmless},
    // Kerberos.
    {"jaasApplicationName", use::refused, "logging in by Kerberos is not supported"},
    {"jaasLogin", use::refused, "logging in by Kerberos is not supported"},
    {"kerberosServerName", use::refused, "logging in by Kerberos is not supported"},
    {"gssLib", use::refused, "logging in by Kerberos is not supported"},
    {"krbsrvname", use::refused, "logging in by Kerberos is not supported"},
    {"useSpnego", use::refused, "logging in by Kerberos is not supported"},
    {"sspiServiceClass", use::refused, "logging in by Kerberos is not supported"},
    {"gssEncMode", use::harmless, "connections are encrypted by TLS", "", no_kerberos},
    {"gssUseDefaultCreds", use::harmless},
    {"allowEncodingChanges", use::harmless},
    // Several servers.
    {"targetServerType", use::role, "", "", server_types},
    {"target_session_attrs", use::role, "", "", session_attributes},
    {"loadBalanceHosts", use::any_order},
    {"load_balance_hosts", use::harmless},
    {"hostRecheckSeconds", use::harmless},
    // The session: what the engine sets itself counts in any case.
    {"currentSchema", use::setting, "", "search_path"},
    {"options", use::options_list},
    {"ApplicationName", use::harmless},
    {"application_name", use::harmless},
    {"fallback_application_name", use::harmless},
    {"assumeMinServerVersion", use::harmless},
    {"readOnly", use::harmless},
    {"readOnlyMode", use::harmless},
    {"client_encoding", use::harmless},
    {"charSet", use::harmless},
    {"characterEncoding", use::harmless},
    {"useUnicode", use::harmless},
    {"lc_messages", use::setting, "", "lc_messages"},
    {"replication", use::refused, "a connection for replication moves no tables; take it out"},
    {"TimeZone", use::harmless},
    {"DateStyle", use::harmless},
    {"autosave", use::harmless},
    {"cleanupSavepoints", use::harmless},
    {"quoteReturningIdentifiers", use::harmless},
    {"reWriteBatchedInserts", use::harmless},
    {"stringtype", use::harmless},
    // How statements are run and results are kept: the engine's own business.
    {"prepareThreshold", use::harmless},
    {"preparedStatementCacheQueries", use::harmless},
    {"preparedStatementCacheSizeMiB", use::harmless},
    {"databaseMetadataCacheFields", use::harmless},
    {"databaseMetadataCacheFieldsMiB", use::harmless},
    {"defaultRowFetchSize", use::harmless},
    {"adaptiveFetch", use::harmless},
    {"adaptiveFetchMinimum", use::harmless},
    {"adaptiveFetchMaximum", use::harmless},
    {"binaryTransfer", use::harmless},
    {"binaryTransferEnable", use::harmless},
    {"binaryTransferDisable", use::harmless},
    {"preferQueryMode", use::harmless},
    {"disableColumnSanitiser", use::harmless},
    {"loggerLevel", use::harmless},
    {"loggerFile", use::harmless},
    {"logUnclosedConnections", use::harmless},
    {"logServerErrorDetail", use::harmless},
    {"unknownLength", use::harmless},
    {"hideUnprivilegedObjects", use::harmless},
    {"escapeSyntaxCallMode", use::harmless},
    {"convertBooleanToNumeric", use::harmless},
    {"xmlFactoryFactory", use::harmless},
    {"groupStartupParameters", use::harmless},
    {"compatible", use::harmless},
    {"package", use::harmless},
    {"blobMode", use::harmless},
    {"queryTimeout", use::harmless},
    {"batchMode", use::harmless},
    {"useBatchMultiSend", use::harmless},
    {"allowReadOnly", use::harmless},
    {"pgpassfile", use::refused, "nothing outside the job logs in; set \"password\" to ${file:…}"},
    {"localSocketAddress", use::refused,
     "connections are TCP, to localhost too; take it out and give host and port"},
});

}  // namespace

const relational::url_dialect& url_dialect() {
  // sslmode "require" verifies nothing, as in the driver and in libpq; "ssl=true" alone verifies all, as in
  // the driver since 42.2.
  static const relational::url_dialect dialect = {
      .product = "PostgreSQL",
      .grammar = {.schemes = {{.prefix = "jdbc:postgresql:",
                               .port = 5432,
                               .bare_database = true,
                               .verifies_tls = true},
                              {.prefix = "jdbc:pgsql:", .port = 5432, .verifies_tls = true},
                              {.prefix = "jdbc:opengauss:", .port = 5432},
                              {.prefix = "jdbc:gaussdb:", .port = 8000},
                              {.prefix = "jdbc:kingbase8:", .port = 54321}},
                  .forms = {}},
      .properties = properties};
  return dialect;
}

}  // namespace sluice::postgresql
