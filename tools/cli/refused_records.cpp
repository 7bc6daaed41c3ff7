#include "tools/cli/refused_records.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

constexpr std::size_t records_max = 100'000;

}  // namespace

std::vector<refused_record> refused_by_destination(const std::string& dirty_file) {
  std::vector<refused_record> out;
  std::ifstream file(dirty_file);
  std::string line;
  while (out.size() < records_max && std::getline(file, line)) {
    const auto read = nlohmann::json::parse(line, nullptr, false);
    if (!read.is_object() || read.value("side", nlohmann::json()) != "writer") {
      continue;
    }
    refused_record one;
    const auto code = read.value("code", nlohmann::json());
    one.code = code.is_string() ? code.get<std::string>() : "dirty";
    for (const auto& f : read.value("record", nlohmann::json::array())) {
      const auto name = f.is_object() ? f.value("name", nlohmann::json()) : nlohmann::json();
      const auto text = f.is_object() ? f.value("text", nlohmann::json()) : nlohmann::json();
      if (name.is_string()) {
        one.fields.emplace_back(name.get<std::string>(),
                                text.is_string() ? std::optional(text.get<std::string>()) : std::nullopt);
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace sluice
