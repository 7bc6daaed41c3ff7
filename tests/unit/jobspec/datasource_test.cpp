#include "jobspec/datasource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "jobspec/sqlite_url.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

datasource_registry registry_of(const json& entries) {
  auto read = datasource_registry::parse("d.json", json{{"datasources", entries}}.dump(), "/etc/sources");
  EXPECT_TRUE(read) << read.error().message;
  return read ? std::move(*read) : datasource_registry();
}

TEST(registry_text, properties_may_be_json_in_a_text_as_the_cloud_delivers_them) {
  const auto all =
      registry_of({{{"name", "a"}, {"type", "sqlite"}, {"connectionProperties", R"({"path": "/x.db"})"}},
                   {{"name", "b"}, {"type", "sqlite"}, {"connectionProperties", "path=/x.db"}}});
  EXPECT_THAT(all.all()[0].errors, IsEmpty());
  EXPECT_EQ(all.all()[0].properties.text("path").value(), "/x.db");
  EXPECT_THAT(all.all()[1].errors, ElementsAre(HasSubstr("expected an object")));
}

TEST(registry_text, a_password_in_a_wrong_place_is_not_shown) {
  const json address = {{"host", "h"}, {"port", 3306}};
  const std::vector<json> wrong = {
      {{"connectionProperties", R"({"password": "SEKRET1", )"}},
      {{"connectionProperties", {{"address", {"u:SEKRET1@h:3306"}}, {"password", "SEKRET1"}}}},
      {{"connectionProperties", {{"address", {address}}, {"properties", "password=SEKRET1"}}}}};
  for (json entry : wrong) {
    entry.update({{"name", "a"}, {"type", "mysql"}});
    const auto all = registry_of(json::array({entry}));
    EXPECT_FALSE(all.all()[0].errors.empty());
    for (const std::string& line : all.all()[0].errors) {
      EXPECT_EQ(line.find("SEKRET1"), std::string::npos) << line;
    }
  }
}

TEST(registry_text, an_empty_file_says_what_a_registry_is) {
  EXPECT_THAT(datasource_registry::parse("d.json", " \n", "/").error().message,
              HasSubstr("d.json: the file is empty; a registry of data sources is"));
}

datasource one(json properties, const char* type, json more = json::object()) {
  json entry = {{"name", "x"}, {"type", type}, {"connectionProperties", std::move(properties)}};
  if (more.is_object()) {
    entry.update(more);
  }
  return registry_of(json::array({entry})).all().front();
}

/// job-formats 1.12, a row a type: its keys, those that are not needed with `?`, secrets with `*`. The keys
/// of TLS stores and Kerberos that the facts only name as "SSL keys" and "Kerberos keys" stand in `more`.
struct type_row {
  const char* type;
  std::set<std::string> keys;
  std::set<std::string> more;
  std::vector<std::string> plugins;
};

const std::set<std::string> stores = {"truststoreFile?", "truststorePassword?*", "keystoreFile?",
                                      "keystorePassword?*"};
const std::set<std::string> kerberos = {"haveKerberos?", "kerberosPrincipal?", "kerberosKeytabFilePath?"};
const std::set<std::string> tls = {"securityProtocol?", "truststoreFile?", "truststorePassword?*",
                                   "keystoreFile?", "keystorePassword?*"};

const std::vector<type_row> facts = {
    {"mysql",
     {"address", "database", "username", "password*", "properties?", "securityProtocol?", "truststoreFile?",
      "truststorePassword?*", "keystoreFile?", "keystorePassword?*", "driverVersion?", "readOnlyDBInstance?"},
     {},
     {"mysql", "mariadb"}},
    {"postgresql",
     {"address", "database", "username", "password*", "properties?", "securityProtocol?", "truststoreFile?",
      "keystoreFile?", "keyFile?", "clientPassword?*"},
     {},
     {"postgresql"}},
    {"sqlserver", {"address", "database", "username", "password*", "properties?"}, tls, {"sqlserver"}},
    {"oracle", {"jdbcUrl", "username", "password*"}, tls, {"oracle"}},
    {"clickhouse",
     {"address", "database", "username", "password*", "properties?", "securityProtocol?",
      "sslRootCertificateFile?"},
     {},
     {"clickhouse"}},
    {"oss",
     {"regionId", "endpoint", "bucket", "authType", "authIdentity?", "accessId?", "accessKey?*"},
     {},
     {"oss", "oss_hdfs"}},
    {"s3", {"regionId", "endpoint", "bucket", "accessId", "accessKey*"}, {}, {"s3"}},
    {"ftp",
     {"protocol", "host", "port", "baseDir?", "username", "password?*", "securityProtocol?", "sshKeyFile?"},
     {},
     {"ftp"}},
    {"hive",
     {"address", "database", "metaType", "metastoreUris", "version", "defaultFS?", "loginMode", "username?",
      "password?*", "hiveConfig?"},
     kerberos,
     {"hive"}},
    {"hdfs", {"defaultFS", "hadoopConfig?"}, kerberos, {"hdfs"}},
    {"kafka",
     {"address", "version", "securityProtocol", "saslMechanism?", "saslUsername?", "saslPassword?*",
      "kafkaConfig?"},
     {"truststoreFile?", "truststorePassword?*", "keystoreFile?", "keystorePassword?*", "haveKerberos?",
      "kerberosPrincipal?", "kerberosKeytabFilePath?"},
     {"kafka"}},
    {"mongodb",
     {"address", "database", "username", "password*", "authDb", "engineVersion?", "authType?", "properties?"},
     {},
     {"mongodb"}},
    {"redis", {"address", "password*", "securityProtocol"}, stores, {"redis"}},
    {"elasticsearch", {"endpoint", "authEnable", "username?", "password?*"}, {}, {"elasticsearch"}},
    {"maxcompute",
     {"project", "regionId", "endpointMode", "endpoint?", "tunnelServer?", "authType", "authIdentity?"},
     {"accessId?", "accessKey?*"},
     {"odps"}},
    {"hologres",
     {"regionId", "instanceId", "database", "warehouseName?", "authType", "securityProtocol?", "sslMode?"},
     {},
     {"holo", "hologres"}},
    {"starrocks",
     {"address", "loadAddress", "database", "username", "password*", "properties?"},
     {},
     {"starrocks"}},
    {"doris", {"address", "loadAddress", "database", "username", "password*", "properties?"}, {}, {"doris"}},
    {"selectdb",
     {"address", "loadAddress", "database", "username", "password*", "properties?"},
     {},
     {"selectdb"}},
    {"loghub", {"regionId", "endpoint", "project", "accessId", "accessKey*"}, {}, {"loghub"}},
    {"tablestore",
     {"regionId", "endpoint", "instanceName", "accessId", "accessKey*"},
     {},
     {"ots", "otsstream"}},
    {"restapi",
     {"url", "defaultHeader?*", "securityProtocol", "username?", "password?*", "authToken?*"},
     {},
     {"restapi"}},
    {"httpfile", {"urlPrefix", "defaultHeaders*"}, {}, {"httpfile"}},
    // Of our own.
    {"sqlite", {"path?", "jdbcUrl?", "properties?"}, {}, {"sqlite"}},
    {"localfile", {"baseDir"}, {}, {"text"}},
};

struct datasource_types_of_the_facts : ::testing::TestWithParam<type_row> {};

TEST_P(datasource_types_of_the_facts, have_these_keys) {
  const type_row& row = GetParam();
  const datasource_type* type = find_datasource_type(row.type);
  ASSERT_NE(type, nullptr);
  std::set<std::string> expected = row.keys;
  expected.insert(row.more.begin(), row.more.end());
  std::set<std::string> actual;
  for (const option& key : type->keys) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    actual.insert(key.name + (key.required ? "" : "?") + (key.secret ? "*" : ""));
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(type->plugins, row.plugins);
  for (const std::string& path : type->paths) {
    EXPECT_NE(option_named(type->keys, path), nullptr) << path;
  }
  for (const datasource_rule& rule : type->rules) {
    for (const std::string& key : rule.keys) {
      EXPECT_NE(option_named(type->keys, key), nullptr) << key;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, datasource_types_of_the_facts, ::testing::ValuesIn(facts),
                         [](const auto& row) { return std::string(row.param.type); });

TEST(datasource_types, are_those_of_the_table_and_no_other) {
  std::set<std::string> expected;
  for (const type_row& row : facts) {
    expected.insert(row.type);
  }
  std::set<std::string> actual;
  for (const datasource_type& type : datasource_types()) {
    actual.insert(type.name);
  }
  EXPECT_EQ(actual, expected);
}

TEST(datasource_types, have_other_names_for_products_that_are_reached_the_same_way) {
  EXPECT_EQ(find_datasource_type("PolarDB"), find_datasource_type("mysql"));
  EXPECT_EQ(find_datasource_type("mariadb"), find_datasource_type("mysql"));
  EXPECT_EQ(find_datasource_type("gaussdb"), find_datasource_type("postgresql"));
  EXPECT_EQ(find_datasource_type("polar"), nullptr);
}

const json mysql = {{"address", {{{"host", "db.example"}, {"port", 3306}}}},
                    {"database", "shop"},
                    {"username", "reader"},
                    {"password", "${env:PW}"}};

TEST(datasource_entries, that_are_right_have_no_errors) {
  const json ak = {{"regionId", "r"}, {"endpoint", "e"}, {"bucket", "b"}, {"authType", "Ak"}};
  json with_keys = ak;
  with_keys.update({{"accessId", "i"}, {"accessKey", "${file:k}"}});
  const std::pair<json, const char*> right[] = {
      {mysql, "mysql"},
      {mysql, "MySQL"},
      {{{"path", "shop.db"}}, "sqlite"},
      {{{"jdbcUrl", "jdbc:sqlite:shop.db"}}, "sqlite"},
      {{{"baseDir", "/data"}}, "localfile"},
      {with_keys, "oss"},
      {{{"regionId", "r"}, {"endpoint", "e"}, {"bucket", "b"}, {"authType", "RamRole"}}, "oss"},
      {{{"endpoint", "e"}, {"authEnable", "disable"}}, "elasticsearch"},
      {{{"protocol", "sftp"},
        {"host", "h"},
        {"port", "22"},
        {"username", "u"},
        {"securityProtocol", "authTypeSshKey"},
        {"sshKeyFile", "id"}},
       "ftp"},
      {{{"urlPrefix", "http://h/"}, {"defaultHeaders", {{"Authorization", "Bearer ${env:T}"}}}}, "httpfile"},
  };
  for (const auto& [properties, type] : right) {
    EXPECT_THAT(one(properties, type).errors, IsEmpty()) << type;
    EXPECT_THAT(one(properties, type).warnings, IsEmpty()) << type;
  }
}

TEST(datasource_entries, tell_each_mistake_with_its_place) {
  const auto changed = [](json properties, const char* key, json value) {
    properties[key] = std::move(value);
    return properties;
  };
  const auto without = [](json properties, const char* key) {
    properties.erase(key);
    return properties;
  };
  struct row {
    json properties;
    const char* type;
    json more;
    std::vector<std::string> words;
  };
  const row rows[] = {
      {without(mysql, "password"),
       "mysql",
       {},
       {"d.json:1:", "datasources[0].connectionProperties", "\"password\" is missing"}},
      {changed(mysql, "address", json::array()), "mysql", {}, {"\"address\" is empty"}},
      {changed(mysql, "address", {{{"host", "h"}}}), "mysql", {}, {"address[0]", "\"port\" is missing"}},
      {changed(mysql, "address", {{{"host", "h"}, {"port", 70000}}}),
       "mysql",
       {},
       {"address[0].port", "from 1 to 65535"}},
      {changed(mysql, "securityProtocol", "ssl"), "mysql", {}, {"securityProtocol", "authTypeSsl"}},
      {changed(mysql, "password", "${env:PW"), "mysql", {}, {"password", "has no closing brace"}},
      {changed(mysql, "username", "${env:USER}"), "mysql", {}, {"username", "looked up in secrets only"}},
      {mysql, "mysq", {}, {"datasources[0].type", "there is no type \"mysq\"", "did you mean \"mysql\"?"}},
      {mysql, "foobarbaz", {}, {"there is no type", "there are clickhouse, "}},
      {mysql, "", {}, {"\"type\" is missing"}},
      {mysql, "mysql", {{"envType", "Test"}}, {"datasources[0].envType", "\"Test\"", "\"Prod\" or \"Dev\""}},
      {mysql, "mysql", {{"connectionPropertiesMode", "InstanceMode"}}, {"only the cloud knows", "UrlMode"}},
      {mysql, "mysql", {{"connectionPropertiesMode", "Url"}}, {"connectionPropertiesMode", "UrlMode"}},
      {mysql, "mysql", {{"name", ""}}, {"\"name\" is missing"}},
      {mysql, "mysql", {{"connectionProperties", "x"}}, {"connectionProperties", "expected an object"}},
      {json::object(), "sqlite", {}, {"has none of \"path\" and \"jdbcUrl\""}},
      {{{"path", "a"}, {"jdbcUrl", "jdbc:sqlite:a"}}, "sqlite", {}, {"has more than one of"}},
      {{{"regionId", "r"}, {"endpoint", "e"}, {"bucket", "b"}, {"authType", "Ak"}},
       "oss",
       {},
       {"\"accessKey\" is missing: it is needed where \"authType\" is \"Ak\""}},
      {{{"url", "u"}, {"securityProtocol", "token"}}, "restapi", {}, {"\"authToken\" is missing"}},
      {{{"endpoint", "e"}, {"authEnable", "enable"}, {"username", "u"}},
       "elasticsearch",
       {},
       {"\"password\" is missing"}},
  };
  for (const row& r : rows) {
    const datasource source = one(r.properties, r.type, r.more);
    const std::string all = ::testing::PrintToString(source.errors);
    EXPECT_THAT(source.errors, Not(IsEmpty())) << r.words.front();
    for (const std::string& word : r.words) {
      EXPECT_THAT(fmt::format("{}", fmt::join(source.errors, "\n")), HasSubstr(word));
    }
  }
}

TEST(datasource_entries, hide_their_secrets_and_show_references) {
  json properties = mysql;
  properties["password"] = "hunter2";
  properties["keystorePassword"] = "${file:ks}";
  properties["properties"] = {{"sslKeyPassword", "hunter3"}, {"charset", "utf8"}};
  const datasource source = one(properties, "mysql");
  EXPECT_THAT(source.properties.json().dump(), AllOf(Not(HasSubstr("hunter")), HasSubstr("utf8")));
  EXPECT_EQ(*source.properties.text("password").value(), "***");
  const auto password = source.properties.secret_of("password").value();
  EXPECT_TRUE(password->has_plain());
  EXPECT_EQ(password->parts().front().text, "hunter2");
  EXPECT_EQ(source.properties.secret_of("keystorePassword").value()->shown(), "${file:ks}");
  EXPECT_EQ(source.properties.secret_of("keystorePassword").value()->folder(), "/etc/sources");
  EXPECT_EQ(source.properties.secret_of("truststorePassword").value(), std::nullopt);
  EXPECT_EQ(source.properties.secrets_by_path().size(), 3u);
  const datasource headers =
      one({{"urlPrefix", "u"}, {"defaultHeaders", {{"Cookie", "hunter4"}}}}, "httpfile");
  EXPECT_THAT(headers.properties.json().dump(), Not(HasSubstr("hunter")));
  EXPECT_EQ(headers.properties.object("defaultHeaders")->secret_of("Cookie").value()->parts().front().text,
            "hunter4");
}

TEST(datasource_entries, have_relative_paths_below_the_registrys_folder) {
  EXPECT_EQ(*one({{"path", "a/shop.db"}}, "sqlite").properties.text("path").value(),
            "/etc/sources/a/shop.db");
  EXPECT_EQ(*one({{"path", "/shop.db"}}, "sqlite").properties.text("path").value(), "/shop.db");
  EXPECT_EQ(*one({{"jdbcUrl", "jdbc:sqlite:shop.db"}}, "sqlite").properties.text("jdbcUrl").value(),
            "jdbc:sqlite:/etc/sources/shop.db");
  for (const auto& [url, whole] : std::vector<std::pair<std::string, std::string>>{
           {"jdbc:sqlite:shop.db?mode=ro", "jdbc:sqlite:/etc/sources/shop.db?mode=ro"},
           {"jdbc:sqlite:file:shop%20.db?mode=ro", "jdbc:sqlite:file:/etc/sources/shop%20.db?mode=ro"},
           {"jdbc:sqlite:file:///shop.db", "jdbc:sqlite:file:///shop.db"},
           {"jdbc:sqlite::memory:", "jdbc:sqlite::memory:"}}) {
    EXPECT_EQ(*one({{"jdbcUrl", url}}, "sqlite").properties.text("jdbcUrl").value(), whole);
  }
  EXPECT_EQ(*one({{"baseDir", "in"}}, "localfile").properties.text("baseDir").value(), "/etc/sources/in");
}

TEST(sqlite_urls, name_any_path) {
  EXPECT_EQ(sqlite_url_of("/a b%#.db"), "jdbc:sqlite:/a b%#.db");
  EXPECT_EQ(sqlite_url_of("/a?b%#.db"), "jdbc:sqlite:file:/a%3Fb%25%23.db");
  EXPECT_EQ(sqlite_url_of("file:a"), "jdbc:sqlite:file:file:a");
  EXPECT_EQ(sqlite_url_below("jdbc:sqlite:a.db?b=c", "/x?y"), "jdbc:sqlite:file:/x%3Fy/a.db?b=c");
}

TEST(datasource_entries, may_be_pasted_from_the_clouds_own_api) {
  const datasource_registry registry = registry_of({{{"Name", "shop"},
                                                     {"Type", "mysql"},
                                                     {"ConnectionPropertiesMode", "UrlMode"},
                                                     {"ConnectionProperties", [] {
                                                        json p = mysql;
                                                        p["envType"] = "Dev";
                                                        return p;
                                                      }()}}});
  EXPECT_THAT(registry.all().front().errors, IsEmpty());
  EXPECT_THAT(registry.all().front().warnings, IsEmpty());
  EXPECT_EQ(registry.all().front().env, datasource_env::development);
}

TEST(datasource_registry, finds_the_variant_of_the_environment) {
  const auto file = [](const char* name, const char* env) {
    json entry = {
        {"name", name}, {"type", "sqlite"}, {"connectionProperties", {{"path", std::string(name) + env}}}};
    if (*env != '\0') {
      entry["envType"] = env;
    }
    return entry;
  };
  const datasource_registry registry =
      registry_of({file("shop", "Prod"), file("shop", "Dev"), file("dw", "Prod"), file("lake", ""),
                   file("mixed", ""), file("mixed", "dev")});
  const auto path = [&](const char* name, datasource_env env) {
    const auto found = registry.find(name, env);
    return found ? (*found)->properties.text("path").value().value_or("") : found.error().message;
  };
  constexpr auto prod = datasource_env::production;
  constexpr auto dev = datasource_env::development;
  EXPECT_EQ(path("shop", prod), "/etc/sources/shopProd");
  EXPECT_EQ(path("shop", dev), "/etc/sources/shopDev");
  EXPECT_EQ(path("lake", prod), "/etc/sources/lake");
  EXPECT_EQ(path("lake", dev), "/etc/sources/lake");
  EXPECT_EQ(path("mixed", dev), "/etc/sources/mixeddev");
  EXPECT_EQ(path("mixed", prod), "/etc/sources/mixed");
  EXPECT_THAT(path("dw", dev),
              AllOf(HasSubstr("\"dw\" has no variant for development"),
                    HasSubstr("it has production (d.json:1:"), HasSubstr("\"envType\": \"Dev\"")));
  EXPECT_THAT(path("shp", prod), AllOf(HasSubstr("there is no data source \"shp\" in \"d.json\""),
                                       HasSubstr("did you mean \"shop\"?")));
  EXPECT_THAT(path("somethingelse", prod), HasSubstr("it has shop, dw, lake"));
}

TEST(datasource_registry, takes_words_and_numbers_for_environments) {
  for (const char* word : {"Prod", "prod", "0", "production", " PROD "}) {
    EXPECT_EQ(datasource_env_of(word), datasource_env::production) << word;
  }
  for (const char* word : {"Dev", "dev", "1", "Development"}) {
    EXPECT_EQ(datasource_env_of(word), datasource_env::development) << word;
  }
  for (const char* word : {"", "2", "test", "true"}) {
    EXPECT_EQ(datasource_env_of(word), std::nullopt) << word;
  }
}

TEST(datasource_registry, refuses_a_name_that_stands_twice_for_one_environment) {
  const json entry = {
      {"name", "shop"}, {"type", "sqlite"}, {"envType", "Prod"}, {"connectionProperties", {{"path", "a"}}}};
  const datasource_registry registry = registry_of({entry, entry});
  EXPECT_THAT(registry.all()[0].errors, IsEmpty());
  EXPECT_THAT(registry.all()[1].errors, ElementsAre(AllOf(HasSubstr("\"shop\" for production stands at"),
                                                          HasSubstr("datasources[0]"))));
}

TEST(datasource_registry, of_another_form_is_refused_with_its_place) {
  const auto message = [](const char* text) {
    const auto read = datasource_registry::parse("d.json", text, "");
    return read ? std::string("none") : read.error().message;
  };
  EXPECT_THAT(message("{"), HasSubstr("d.json:1:"));
  EXPECT_THAT(message("[]"), HasSubstr("expected an object with the list \"datasources\""));
  EXPECT_THAT(message("{\"datasources\": {}}"), HasSubstr("this is no registry"));
  EXPECT_THAT(message("{\"version\": 2, \"datasources\": []}"),
              AllOf(HasSubstr("d.json:1:13 version"), HasSubstr("found 2, expected 1")));
  EXPECT_EQ(message("// comments are borne\n{\"version\": 1, \"datasources\": [],}"), "none");
}

TEST(datasource_registry, one_wrong_entry_leaves_the_others_usable) {
  const datasource_registry registry = registry_of(
      {5, {{"name", "a"}, {"type", "sqlite"}, {"connectionProperties", {{"path", "x"}, {"pth", "y"}}}}});
  EXPECT_THAT(registry.all()[0].errors, ElementsAre(HasSubstr("datasources[0]: expected an object")));
  EXPECT_THAT(registry.all()[1].errors, IsEmpty());
  EXPECT_THAT(registry.all()[1].warnings, ElementsAre(HasSubstr("did you mean \"path\"?")));
}

}  // namespace
}  // namespace sluice
