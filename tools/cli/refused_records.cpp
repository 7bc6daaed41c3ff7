#include "tools/cli/refused_records.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace sluice {

void tell_refused_by_destination(const std::string& dirty_file,
                                 const std::function<void(const refused_record&)>& each) {
  std::ifstream file(dirty_file);
  std::string line;
  while (std::getline(file, line)) {
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
    each(one);
  }
}

}  // namespace sluice
