#include "tools/cli/secret_filter.h"

#include <algorithm>
#include <cctype>

#include "jobspec/secrets.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t masked_everywhere_bytes_min = 4;

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

secret_filter::secret_filter(const std::map<std::string, std::string>& parameters) {
  add_parameters(parameters);
}

void secret_filter::add_parameters(const std::map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) {
    if (looks_secret(name)) {
      add(value);
    }
  }
}

void secret_filter::add(const std::string& value) {
  if (value.size() < masked_everywhere_bytes_min || value == "true" || value == "false") {
    return;
  }
  const std::string as_json =
      nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (const std::string& form :
       {value, as_json.substr(1, as_json.size() - 2), escaped(value, value.size())}) {
    if (std::find(values_.begin(), values_.end(), form) == values_.end()) {
      values_.push_back(form);
    }
  }
  std::sort(values_.begin(), values_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void secret_filter::add_members(const nlohmann::json& object, const std::vector<option>& described) {
  if (object.is_array()) {
    for (const auto& element : object) {
      add_members(element, described);
    }
    return;
  }
  if (!object.is_object()) {
    return;
  }
  for (const auto& [key, value] : object.items()) {
    const auto is_named = [folded = lower(key)](const option& o) {
      return lower(o.name) == folded ||
             std::any_of(o.aliases.begin(), o.aliases.end(),
                         [&](const std::string& alias) { return lower(alias) == folded; });
    };
    const auto at = std::find_if(described.begin(), described.end(), is_named);
    if (at == described.end()) {
      continue;
    }
    if (at->secret && value.is_string()) {
      add(value.get<std::string>());
    } else if (!at->members.empty()) {
      add_members(value, at->members);
    }
  }
}

void secret_filter::add_options(const option_values& values, const std::vector<option>& described) {
  add_members(values.json(), described);
}

std::string secret_filter::apply(std::string text) const {
  for (const std::string& value : values_) {
    for (std::size_t at = text.find(value); at != std::string::npos;
         at = text.find(value, at + secret_mask.size())) {
      text.replace(at, value.size(), secret_mask);
    }
  }
  return text;
}

std::map<std::string, std::string> secret_filter::apply(
    const std::map<std::string, std::string>& parameters) const {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : parameters) {
    out[name] = looks_secret(name) ? std::string(secret_mask) : mask_addresses(apply(value));
  }
  return out;
}

}  // namespace sluice
