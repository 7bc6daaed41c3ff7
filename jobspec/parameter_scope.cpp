#include "jobspec/parameter_scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/date_expression.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/secret.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view built_in_names[] = {"bizdate", "cyctime", "gmtdate", "bizmonth"};

bool is_built_in(std::string_view name) {
  return std::find(std::begin(built_in_names), std::end(built_in_names), name) != std::end(built_in_names);
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_letter(char c) {
  return is_word_character(c) && !(c >= '0' && c <= '9');
}

tl::unexpected<error> no_planned_time(std::string_view written) {
  return fail(error_kind::bad_option,
              "{} needs the planned time, which is not known yet where the time zone is chosen; write the "
              "zone's name",
              in_quotes(written));
}

tl::unexpected<error> no_scheduler(std::string_view name) {
  return fail(
      error{error_kind::bad_option,
            fmt::format("the parameter ${0} has no value, because there is no scheduler here to number it; "
                        "give it with -p {0}=VALUE",
                        name),
            "parameter_missing", false});
}

}  // namespace

std::size_t word_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_word_character(text[at])) {
    ++at;
  }
  return at;
}

bool is_parameter_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word_character(c) || c == '.'; });
}

std::string replace_variables(std::string_view text,
                              const std::function<void(const written_variable&, std::string& done)>& put) {
  using form = written_variable::form;
  std::string done;
  std::size_t at = 0;
  for (;;) {
    const std::size_t dollar = text.find('$', at);
    done.append(text.substr(at, dollar == std::string_view::npos ? dollar : dollar - at));
    if (dollar == std::string_view::npos) {
      return done;
    }
    if (const std::size_t end = secret_reference_end(text, dollar); end != std::string_view::npos) {
      // `${env:NAME}` and its like are looked up when a connection is opened, not here.
      done.append(text.substr(dollar, end - dollar));
      at = end;
      continue;
    }
    const std::string_view rest = text.substr(dollar + 1);
    written_variable found;
    const std::size_t inside = std::min(rest.find_first_not_of(' ', 1), rest.size());
    if (rest.starts_with('{') || (rest.starts_with('[') && inside < rest.size() && is_letter(rest[inside]))) {
      const std::size_t close = text.find(rest[0] == '{' ? '}' : ']', dollar);
      if (close == std::string_view::npos) {
        found = {form::unclosed, text.substr(dollar), {}};
      } else {
        found = {rest[0] == '{' ? form::braces : form::brackets, text.substr(dollar, close + 1 - dollar),
                 text.substr(dollar + 2, close - dollar - 2)};
      }
    } else {
      const std::size_t end = word_end(text, dollar + 1);
      found = {form::word, text.substr(dollar, end - dollar), text.substr(dollar + 1, end - dollar - 1)};
    }
    put(found, done);
    at = dollar + found.whole.size();
  }
}

std::string parameter_scope::cure(std::string_view name) {
  if (is_built_in(name)) {
    return fmt::format("-p '{0}=${0}'", name);
  }
  if (date_expression::parse(fmt::format("${{{}}}", name))) {
    return fmt::format("-p '{0}=${{{0}}}'", name);
  }
  return fmt::format("-p {}=VALUE", name);
}

std::string parameter_scope::near_given(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& [one, value] : given_) {
    if (one != name) {
      names.push_back(one);
    }
  }
  const auto near = nearest(name, names);
  return near.empty() ? "" : fmt::format(" (given is {})", in_quotes(near));
}

result<std::optional<variable_value>> parameter_scope::named(std::string_view name) const {
  return named(name, {});
}

result<variable_value> parameter_scope::expression(std::string_view written) const {
  return expression(written, {});
}

result<std::optional<variable_value>> parameter_scope::named(std::string_view name,
                                                             const path& inside) const {
  const auto given = given_.find(name);
  const bool itself = !inside.empty() && inside.back() == name;
  const bool again = std::find(inside.begin(), inside.end(), name) != inside.end();
  if (given != given_.end() && !again) {
    auto read = read_.find(name);
    if (read == read_.end()) {
      read = read_.emplace(given->first, evaluate(given->first, given->second, inside)).first;
    }
    SLUICE_TRY(auto value, read->second);
    return std::optional(std::move(value));
  }
  if (given != given_.end() && !itself) {
    std::string way;
    for (auto at = std::find(inside.begin(), inside.end(), name); at != inside.end(); ++at) {
      way += fmt::format("{} names ", escaped(*at));
    }
    return fail(error_kind::bad_option,
                "parameters name each other in a circle, {}{}; give one of them a value", way, escaped(name));
  }
  if (is_assigned(name)) {
    return built_in(name);
  }
  if (const auto* known = find_predefined(name)) {
    SLUICE_TRY(auto value, date(known->expression));
    value.origin = fmt::format("{}'s name", known->origin);
    return std::optional(std::move(value));
  }
  return std::nullopt;
}

bool parameter_scope::is_assigned(std::string_view name) const {
  return planned_ != nullptr && planned_->assigns && (name == "bizdate" || name == "cyctime");
}

result<std::optional<variable_value>> parameter_scope::built_in(std::string_view name) const {
  if (!is_built_in(name)) {
    return std::nullopt;
  }
  if (planned_ == nullptr) {
    return no_planned_time(fmt::format("${}", name));
  }
  variable_value out;
  out.text = built_in_value(name, *planned_).value_or(std::string());
  out.expression = fmt::format("${}", name);
  out.origin = is_assigned(name) ? planned_->origin : "built-in";
  out.uses_date = true;
  return std::optional(std::move(out));
}

result<std::optional<variable_value>> parameter_scope::word(std::string_view name) const {
  if (given_.find(name) != given_.end()) {
    return named(name);
  }
  if (is_scheduler_name(name)) {
    return no_scheduler(name);
  }
  return built_in(name);
}

result<variable_value> parameter_scope::date(std::string_view written) const {
  auto parsed = date_expression::parse(written);
  if (!parsed) {
    return fail(error_kind::bad_option, "{}: {}", in_quotes(written), parsed.error().message);
  }
  if (planned_ == nullptr) {
    return no_planned_time(written);
  }
  auto value = parsed->value(*planned_);
  if (!value) {
    return fail(error_kind::bad_option, "{}: {}", in_quotes(written), value.error().message);
  }
  variable_value out;
  out.text = std::move(*value);
  out.expression = written;
  out.origin = "the job";
  out.uses_date = true;
  if (!parsed->doubt().empty()) {
    out.doubt = fmt::format("{}: {}", in_quotes(written), parsed->doubt());
  }
  return out;
}

result<variable_value> parameter_scope::expression(std::string_view written, const path& inside) const {
  if (written[1] == '[') {
    return date(fmt::format("$[{}]", trimmed(written.substr(2, written.size() - 3))));
  }
  const std::string_view name = trimmed(written.substr(2, written.size() - 3));
  if (!is_parameter_name(name)) {
    return date(written);
  }
  SLUICE_TRY(auto found, named(name, inside));
  if (found) {
    return std::move(*found);
  }
  const std::string plain = fmt::format("${{{}}}", name);
  // A name that holds a year is a format gone wrong; `$[...]` has what is left.
  if (date_expression::parse(plain) || name.starts_with("yyyy") ||
      date_expression::parse(fmt::format("$[{}]", name))) {
    return date(plain);
  }
  return fail(error{error_kind::bad_option,
                    fmt::format("the parameter {} has no value; give it with {}{}", escaped(written),
                                cure(name), near_given(name)),
                    "parameter_missing", false});
}

result<variable_value> parameter_scope::evaluate(std::string_view name, const given_parameter& one,
                                                 const path& inside) const {
  variable_value out;
  out.expression = one.text;
  out.origin = one.origin;
  out.parameters.insert(std::string(name));
  if (one.literal || looks_secret(name) || one.text.find('$') == std::string::npos) {
    out.text = one.text;
    return out;
  }
  path deeper = inside;
  deeper.push_back(name);
  std::optional<error> wrong;
  // Without the value: it may be a secret under a name that does not say so.
  const auto refuse = [&](std::string_view why) {
    if (!wrong) {
      wrong = error{
          error_kind::bad_option,
          fmt::format("the value of the parameter {} ({}): {}", in_quotes(name), escaped(one.origin), why),
          {},
          false};
    }
  };
  if (deeper.size() > parameter_depth_max) {
    refuse(fmt::format("parameters name each other over more than {} steps", parameter_depth_max));
    return fail(std::move(*wrong));
  }
  out.text = replace_variables(one.text, [&](const written_variable& found, std::string& done) {
    using form = written_variable::form;
    if (found.kind == form::unclosed) {
      return refuse(
          fmt::format("it has a {} without its closing bracket", in_quotes(found.whole.substr(0, 2))));
    }
    result<std::optional<variable_value>> value;
    if (found.kind == form::word && is_scheduler_name(found.name)) {
      value = no_scheduler(found.name);
    } else if (found.kind == form::word) {
      value = built_in(found.name);
    } else if (auto e = expression(found.whole, deeper)) {
      value = std::optional(std::move(*e));
    } else {
      return refuse(e.error().message);
    }
    if (!value) {
      return refuse(value.error().message);
    }
    if (!*value) {
      done.append(found.whole);
      return;
    }
    done += (*value)->text;
    out.uses_date = out.uses_date || (*value)->uses_date;
    out.parameters.insert((*value)->parameters.begin(), (*value)->parameters.end());
    out.doubt += (*value)->doubt;
    if (done.size() > parameter_bytes_max) {
      refuse(fmt::format("its value is longer than {}", bytes_text(parameter_bytes_max)));
    }
  });
  if (wrong) {
    return fail(std::move(*wrong));
  }
  return out;
}

}  // namespace sluice
