#include "jobspec/option_values.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "jobspec/escapes.h"
#include "jobspec/json_path.h"
#include "jobspec/known_keys.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

/// An option as found: the key it was written under (the name or an alias), and its value or its default.
struct option_values::found_value {
  std::string key;
  const option* described = nullptr;
  std::optional<nlohmann::json> value;
};

namespace {

/// Whether a value counts as not given at all (job-formats 8.1).
bool counts_as_unset(const nlohmann::json& value, std::string_view key, const option* o) {
  if (value.is_null()) {
    return true;
  }
  if (!value.is_string() || (o != nullptr && o->blank_is_value) || is_blank_value_key(key)) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (o != nullptr && (o->type == option_type::character || o->type == option_type::delimiter)) {
    return text.empty();
  }
  return trimmed(text).empty();
}

/// The value as a message shows it; never a secret's.
std::string shown(const nlohmann::json& value, std::string_view key, const option* o) {
  if ((o != nullptr && o->secret) || looks_secret(key)) {
    return "a secret value";
  }
  if (value.is_string()) {
    return shown_text(value.get_ref<const std::string&>());
  }
  if (value.is_object() || value.is_array()) {
    // What is inside may hold secrets under keys of their own.
    return value.is_object() ? "an object" : fmt::format("a list of {}", value.size());
  }
  return escaped(value.dump());
}

bool is_scalar(const nlohmann::json& value) {
  return value.is_string() || value.is_number() || value.is_boolean();
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return fmt::format("{:.0f}", value);
  }
  return fmt::format("{}", value);
}

constexpr double no_limit = 1e300;

/// `a whole number from 1 to 256`.
std::string expected_number(std::string_view what, const option* o) {
  const bool least = o != nullptr && o->number_min > -no_limit;
  const bool greatest = o != nullptr && o->number_max < no_limit;
  if (least && greatest) {
    return fmt::format("{} from {} to {}", what, number_text(o->number_min), number_text(o->number_max));
  }
  if (least) {
    return fmt::format("{} of at least {}", what, number_text(o->number_min));
  }
  if (greatest) {
    return fmt::format("{} of at most {}", what, number_text(o->number_max));
  }
  return std::string(what);
}

bool in_range(double value, const option* o) {
  return o == nullptr || (value >= o->number_min && value <= o->number_max);
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  T value{};
  const auto answer = std::from_chars(text.data(), text.data() + text.size(), value);
  if (answer.ec != std::errc{} || answer.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> as_integer(const nlohmann::json& value) {
  if (value.is_string()) {
    return parsed<std::int64_t>(value.get_ref<const std::string&>());
  }
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return number > INT64_MAX ? std::nullopt : std::optional(static_cast<std::int64_t>(number));
  }
  if (value.is_number_integer()) {
    return value.get<std::int64_t>();
  }
  if (value.is_number_float()) {
    // 1e6 and 2.0 are whole; beyond 2^53 a double no longer says which whole number it was.
    const auto number = value.get<double>();
    if (number == std::floor(number) && std::abs(number) < 9007199254740992.0) {
      return static_cast<std::int64_t>(number);
    }
  }
  return std::nullopt;
}

std::optional<double> as_number(const nlohmann::json& value) {
  if (value.is_string()) {
    const auto number = parsed<double>(value.get_ref<const std::string&>());
    return number && std::isfinite(*number) ? number : std::nullopt;
  }
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<bool> as_boolean(const nlohmann::json& value) {
  if (value.is_boolean()) {
    return value.get<bool>();
  }
  if (value.is_string()) {
    const std::string word = lower(trimmed(value.get_ref<const std::string&>()));
    if (word == "true" || word == "false") {
      return word == "true";
    }
  }
  return std::nullopt;
}

/// Whether a text is the allowed word, ignoring case; `update(…)` stands for whatever is in the brackets.
bool is_allowed(std::string_view text, std::string_view word) {
  constexpr std::string_view anything = "(…)";
  if (!word.ends_with(anything)) {
    return same_word(word, text);
  }
  const std::string_view before = word.substr(0, word.size() - anything.size());
  const std::size_t open = text.find('(');
  return open != std::string_view::npos && text.ends_with(')') &&
         same_word(before, trimmed(text.substr(0, open)));
}

/// `expected one of "insert", "replace"`, with the near one named.
std::string expected_words(std::string_view found, const std::vector<std::string>& allowed) {
  std::string out = allowed.size() == 1 ? "" : "one of ";
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    out += (i == 0 ? "" : ", ") + in_quotes(allowed[i]);
  }
  if (const auto near = nearest(found, allowed); !near.empty()) {
    out += fmt::format("; did you mean {}?", in_quotes(near));
  }
  return out;
}

}  // namespace

bool is_slip_of_secret(const std::vector<option>& options, std::string_view key) {
  std::vector<std::string_view> names;
  for (const option& o : options) {
    names.push_back(o.name);
    names.insert(names.end(), o.aliases.begin(), o.aliases.end());
  }
  const option* meant = option_named(options, nearest(key, names));
  return meant != nullptr && meant->secret;
}

option_values::option_values(std::string file, std::string path, nlohmann::json parameter,
                             std::shared_ptr<const json_places> places, const std::vector<option>& described,
                             dialect d, const std::vector<option_default>* defaults,
                             const supplied_values& supplied, const std::string& secrets_folder)
    : file_(std::move(file)),
      path_(std::move(path)),
      json_(std::move(parameter)),
      places_(std::move(places)),
      origins_(std::make_shared<const std::map<std::string, std::string, std::less<>>>(supplied.origins)),
      options_(&described),
      defaults_(defaults),
      dialect_(d) {
  auto secrets = std::make_shared<secret_map>();
  for (const auto& [at, text] : supplied.secrets) {
    secrets->emplace(at, text);
  }
  take_secrets(json_, path_, described, false, secrets_folder, *secrets);
  secrets_ = std::move(secrets);
}

void option_values::take_secrets(nlohmann::json& value, const std::string& path,
                                 const std::vector<option>& described, bool all, const std::string& folder,
                                 secret_map& to) const {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      take_secrets(value[i], path_join(path, i), described, all, folder, to);
    }
  }
  if (!value.is_object()) {
    return;
  }
  for (auto& [key, inner] : value.items()) {
    const option* o = option_named(described, key);
    const bool hidden =
        all || (o == nullptr ? looks_secret(key) || is_slip_of_secret(described, key) : o->secret);
    static const std::vector<option> none;
    const std::string here = path_join(path, key);
    // `useSpecialSecret` is true or false, and no secret.
    const bool truth = o == nullptr && as_boolean(inner).has_value();
    if (!hidden || !is_scalar(inner)) {
      take_secrets(inner, here, o == nullptr ? none : o->members, hidden, folder, to);
    } else if (!truth && !counts_as_unset(inner, key, o) && !to.contains(here)) {
      to.emplace(here, secret_text::parse(inner.is_string() ? inner.get<std::string>() : inner.dump(),
                                          place_text(file_, places_.get(), here), folder));
      inner = secret_mask;
    }
  }
}

const option* option_values::described(std::string_view name) const {
  return options_ == nullptr ? nullptr : option_named(*options_, name);
}

const std::string& option_values::default_of(const option& o) const {
  if (defaults_ != nullptr) {
    for (const auto& d : *defaults_) {
      if (d.option == o.name) {
        return d.value;
      }
    }
  }
  return dialect_ == dialect::datax && !o.datax_default_text.empty() ? o.datax_default_text : o.default_text;
}

option_values::found_value option_values::find(std::string_view name) const {
  found_value found{std::string(name), described(name), std::nullopt};
  const option* o = found.described;
  const auto take = [&](const std::string& key) {
    const auto at = json_.is_object() ? json_.find(key) : json_.end();
    if (found.value || at == json_.end() || counts_as_unset(*at, key, o)) {
      return;
    }
    found.key = key;
    found.value = *at;
  };
  take(found.key);
  if (o != nullptr) {
    take(o->name);
    for (const auto& alias : o->aliases) {
      take(alias);
    }
  }
  if (!found.value && o != nullptr) {
    const std::string& text = default_of(*o);
    if (text.starts_with('[') && o->type == option_type::text_list) {
      found.value = nlohmann::json::parse(text, nullptr, false);
    } else if (!text.empty()) {
      found.value = text;
    }
  }
  return found;
}

std::string option_values::full_path(std::string_view name) const {
  if (name.empty()) {
    return path_;
  }
  // An option written under an alias stands where the alias stands.
  const std::size_t end = std::min(name.find_first_of(".["), name.size());
  std::string first(name.substr(0, end));
  if (json_.is_object() && !json_.contains(first)) {
    if (const option* o = described(first); o != nullptr) {
      first = find(first).key;
    }
  }
  return fmt::format("{}{}{}{}", path_, path_.empty() ? "" : ".", first, name.substr(end));
}

std::string option_values::place(std::string_view name) const {
  const std::string path = full_path(name);
  if (origins_ != nullptr && !origins_->empty()) {
    for (std::string_view at = path; at.size() > path_.size(); at = path_parent(at)) {
      if (const auto origin = origins_->find(at); origin != origins_->end()) {
        return origin->second;
      }
    }
  }
  return place_text(file_, places_.get(), path);
}

std::pair<std::uint32_t, std::uint32_t> option_values::position(std::string_view name) const {
  return position_of(places_.get(), full_path(name));
}

bool option_values::has(std::string_view name) const {
  const option* o = described(name);
  const auto set = [&](std::string_view key) {
    const auto at = json_.is_object() ? json_.find(key) : json_.end();
    return at != json_.end() && !counts_as_unset(*at, key, o);
  };
  if (set(name)) {
    return true;
  }
  if (o == nullptr) {
    return false;
  }
  bool any = set(o->name);
  for (const auto& alias : o->aliases) {
    any = any || set(alias);
  }
  return any;
}

option_values option_values::changed(const nlohmann::json& changes,
                                     const std::vector<option>& described) const {
  option_values out = *this;
  out.json_.merge_patch(changes);
  out.options_ = &described;
  return out;
}

tl::unexpected<error> option_values::bad(std::string_view name, std::string_view message) const {
  return fail(error_kind::bad_option, "{}: {}", place(name), hide_secrets(message));
}

tl::unexpected<error> option_values::mismatch(const found_value& found, std::string_view expected) const {
  return bad(found.key,
             fmt::format("found {}, expected {}", shown(*found.value, found.key, found.described), expected));
}

result<std::string> option_values::text_of(const found_value& found, const nlohmann::json& value) const {
  if (!is_scalar(value)) {
    return mismatch(found, "a text");
  }
  const option* o = found.described;
  const bool character = o != nullptr && o->type == option_type::character;
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (character && value.is_number_unsigned()) {
    const auto code = value.get<std::uint64_t>();
    auto decoded = code <= 0x10FFFF ? utf8_of(static_cast<std::uint32_t>(code)) : std::nullopt;
    if (!decoded) {
      return mismatch(found, "one character or its code point");
    }
    return *decoded;
  }
  if (character || (o != nullptr && o->type == option_type::delimiter)) {
    text = decode_escapes(text);
  }
  if (character && characters_of(text) > 1) {
    return mismatch(found, "one character, or an escape such as \"\\t\" or \"\\u0001\"");
  }
  if (o != nullptr && !o->allowed.empty()) {
    for (const auto& word : o->allowed) {
      if (is_allowed(trimmed(text), word)) {
        return word;
      }
    }
    return mismatch(found, expected_words(text, o->allowed));
  }
  return text;
}

result<std::optional<std::string>> option_values::text(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return std::optional<std::string>{};
  }
  const nlohmann::json& value = *found.value;
  const bool list_of_one = value.is_array() && value.size() == 1;
  SLUICE_TRY(auto text, text_of(found, list_of_one ? value.front() : value));
  return std::optional(std::move(text));
}

result<std::optional<std::int64_t>> option_values::integer(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return std::optional<std::int64_t>{};
  }
  const auto number = as_integer(*found.value);
  if (!number || !in_range(static_cast<double>(*number), found.described)) {
    return mismatch(found, expected_number("a whole number", found.described));
  }
  return number;
}

result<std::optional<double>> option_values::number(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return std::optional<double>{};
  }
  const auto number = as_number(*found.value);
  if (!number || !in_range(*number, found.described)) {
    return mismatch(found, expected_number("a number", found.described));
  }
  return number;
}

result<std::optional<bool>> option_values::boolean(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return std::optional<bool>{};
  }
  const auto value = as_boolean(*found.value);
  if (!value) {
    return mismatch(found, "true or false");
  }
  return value;
}

result<std::vector<std::string>> option_values::text_list(std::string_view name) const {
  std::vector<std::string> texts;
  const found_value found = find(name);
  if (!found.value) {
    return texts;
  }
  const nlohmann::json& value = *found.value;
  if (!value.is_array()) {
    SLUICE_TRY(auto text, text_of(found, value));
    texts.push_back(std::move(text));
    return texts;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_scalar(value[i])) {
      return bad(path_join(found.key, i),
                 fmt::format("found {}, expected a text", shown(value[i], found.key, found.described)));
    }
    SLUICE_TRY(auto text, text_of(found, value[i]));
    texts.push_back(std::move(text));
  }
  return texts;
}

result<std::optional<secret_text>> option_values::secret_of(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return std::optional<secret_text>{};
  }
  if (secrets_ != nullptr) {
    if (const auto at = secrets_->find(full_path(found.key)); at != secrets_->end()) {
      return at->second ? result<std::optional<secret_text>>(*at->second) : fail(at->second.error());
    }
  }
  return mismatch(found, "a text");
}

std::map<std::string, secret_text> option_values::secrets_by_path() const {
  std::map<std::string, secret_text> out;
  if (secrets_ != nullptr) {
    for (const auto& [path, text] : *secrets_) {
      if (text && path.starts_with(path_)) {
        out.emplace(path, *text);
      }
    }
  }
  return out;
}

option_values option_values::member(std::string_view path, const nlohmann::json& value,
                                    const option* o) const {
  option_values out;
  out.file_ = file_;
  out.path_ = full_path(path);
  out.json_ = value;
  out.places_ = places_;
  out.secrets_ = secrets_;
  out.origins_ = origins_;
  out.options_ = o == nullptr ? nullptr : &o->members;
  out.dialect_ = dialect_;
  return out;
}

result<option_values> option_values::object(std::string_view name) const {
  const found_value found = find(name);
  if (!found.value) {
    return member(found.key, nlohmann::json::object(), found.described);
  }
  const nlohmann::json& value = *found.value;
  if (value.is_array() && value.size() == 1 && value.front().is_object()) {
    return member(path_join(found.key, std::size_t{0}), value.front(), found.described);
  }
  if (!value.is_object()) {
    return mismatch(found, "an object");
  }
  return member(found.key, value, found.described);
}

result<std::vector<option_values>> option_values::object_list(std::string_view name) const {
  std::vector<option_values> out;
  const found_value found = find(name);
  if (!found.value) {
    return out;
  }
  const nlohmann::json& value = *found.value;
  if (value.is_object()) {
    out.push_back(member(found.key, value, found.described));
    return out;
  }
  if (!value.is_array()) {
    return mismatch(found, "a list of objects");
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string path = path_join(found.key, i);
    if (!value[i].is_object()) {
      return bad(path,
                 fmt::format("found {}, expected an object", shown(value[i], found.key, found.described)));
    }
    out.push_back(member(path, value[i], found.described));
  }
  return out;
}

}  // namespace sluice
