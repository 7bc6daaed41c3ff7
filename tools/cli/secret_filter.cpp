#include "tools/cli/secret_filter.h"

#include <algorithm>

#include "jobspec/secrets.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t masked_everywhere_bytes_min = 4;
/// Of a value that is longer, so much of its beginning is masked, too.
constexpr std::size_t cut_bytes_min = 12;
constexpr std::size_t rests_max = 256;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool by_size(const std::string& a, const std::string& b) {
  return a.size() > b.size();
}

/// How many bytes of `text` are the beginning of `rest`, whole words alone; 0 where they are too few.
std::size_t bytes_of_rest(std::string_view text, std::string_view rest) {
  const auto same = std::mismatch(rest.begin(), rest.end(), text.begin(), text.end());
  std::size_t size = static_cast<std::size_t>(same.first - rest.begin());
  if (size < text.size() && is_word(text[size])) {
    // Another word that begins alike.
    while (size > 0 && is_word(text[size - 1])) {
      --size;
    }
  }
  return size < masked_everywhere_bytes_min ? 0 : size;
}

}  // namespace

secret_filter::secret_filter(const std::map<std::string, std::string>& parameters) {
  add_parameters(parameters);
}

void secret_filter::add_parameters(const std::map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) {
    // A reference is looked up later and is itself none.
    if (looks_secret(name) && !has_secret_reference(value)) {
      add(value);
    }
  }
}

void secret_filter::add(std::string_view value) {
  if (value.size() < masked_everywhere_bytes_min || value == "true" || value == "false") {
    return;
  }
  const std::string as_json =
      nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  for (const std::string& form :
       {std::string(value), as_json.substr(1, as_json.size() - 2), escaped(value, value.size())}) {
    if (std::find(values_.begin(), values_.end(), form) == values_.end()) {
      values_.push_back(form);
    }
    for (std::size_t at = 1; at < form.size() && rests_.size() < rests_max; ++at) {
      if (is_word(form[at]) && !is_word(form[at - 1])) {
        rests_.push_back(form.substr(at));
      }
    }
  }
  std::sort(values_.begin(), values_.end(), by_size);
  std::sort(rests_.begin(), rests_.end(), by_size);
}

void secret_filter::add_options(const option_values& values) {
  for (const auto& [path, text] : values.secrets_by_path()) {
    add(text);
  }
}

void secret_filter::add(const secret_text& written) {
  for (const secret_part& part : written.parts()) {
    if (part.origin == secret_origin::plain) {
      add(part.text);
    }
  }
}

std::string secret_filter::apply(std::string text) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& value : values_) {
    // The beginning is enough where the value is long: messages are cut.
    const std::string_view begin = std::string_view(value).substr(0, cut_bytes_min);
    for (std::size_t at = text.find(begin); at != std::string::npos;
         at = text.find(begin, at + secret_mask.size())) {
      const auto rest = std::mismatch(value.begin(), value.end(),
                                      text.begin() + static_cast<std::ptrdiff_t>(at), text.end());
      text.replace(at, static_cast<std::size_t>(rest.first - value.begin()), secret_mask);
    }
  }
  return rests_.empty() ? text : without_rests(std::move(text));
}

std::string secret_filter::without_rests(std::string text) const {
  for (std::size_t at = text.find_first_of("\"'`"); at != std::string::npos;
       at = text.find_first_of("\"'`", at + 1)) {
    const std::string_view behind = std::string_view(text).substr(at + 1);
    std::size_t bytes = 0;
    for (const std::string& rest : rests_) {
      bytes = std::max(bytes, bytes_of_rest(behind, rest));
    }
    if (bytes != 0) {
      text.replace(at + 1, bytes, secret_mask);
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

secret_resolver::surroundings resolving_into(secret_filter& shown, const environment& variable,
                                             std::function<void(std::string)> warn) {
  return {variable, [&shown](std::string_view value) { shown.add(value); },
          [&shown](std::string text) { return mask_addresses(shown.apply(std::move(text))); },
          std::move(warn)};
}

}  // namespace sluice
