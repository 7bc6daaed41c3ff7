#include "tests/support/database_server.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sluice::testing {

std::string database_server::connecting_keys(std::string_view scheme, const account& who,
                                             std::string_view properties) const {
  const std::string url = fmt::format("{}//{}:{}/{}{}{}", scheme, host, port, database,
                                      properties.empty() ? "" : "?", properties);
  return fmt::format(R"("jdbcUrl": {}, "username": {}, "password": {})", nlohmann::json(url).dump(),
                     nlohmann::json(who.user).dump(), nlohmann::json(who.password).dump());
}

std::string database_server_variable(std::string_view system) {
  std::string name = "SLUICE_TEST_";
  for (const char c : system) {
    name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

std::optional<database_server> find_database_server(std::string_view system) {
  const std::string variable = database_server_variable(system);
  const char* path = std::getenv(variable.c_str());
  if (path == nullptr || *path == '\0') {
    return std::nullopt;
  }
  std::ifstream in(path);
  const nlohmann::json file = nlohmann::json::parse(in, nullptr, false);
  if (file.is_discarded()) {
    throw std::runtime_error(fmt::format("{}: {} is no JSON file", variable, path));
  }
  const auto account_in = [](const nlohmann::json& j) {
    return database_server::account{j.at("user").get<std::string>(), j.at("password").get<std::string>()};
  };
  database_server s;
  s.system = file.at("system").get<std::string>();
  s.version = file.at("version").get<std::string>();
  s.host = file.at("host").get<std::string>();
  s.name = file.at("name").get<std::string>();
  s.port = file.at("port").get<std::uint16_t>();
  s.pid = file.at("pid").get<std::int64_t>();
  s.log = file.at("log").get<std::string>();
  s.ca_file = file.at("ca_file").get<std::string>();
  s.other_ca_file = file.at("other_ca_file").get<std::string>();
  s.client_cert_file = file.at("client_cert_file").get<std::string>();
  s.client_key_file = file.at("client_key_file").get<std::string>();
  s.database = file.at("database").get<std::string>();
  s.shards = file.at("shards").get<std::vector<std::string>>();
  s.admin = account_in(file.at("admin"));
  for (const auto& [name, user] : file.at("users").items()) {
    s.users.emplace(name, account_in(user));
  }
  return s;
}

}  // namespace sluice::testing
