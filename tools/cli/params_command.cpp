#include "tools/cli/params_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/cli/end_report.h"
#include "tools/cli/job_loading.h"
#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

std::string params_text(const job_variables& all, const zone_choice& zone) {
  std::string out;
  if (all.planned) {
    const std::vector<std::vector<std::string>> head = {
        {"Planned time", fmt::format("{} ({})", all.planned->text(), escaped(all.planned->origin))},
        {"Business date", all.planned->business_date_text()},
        {"Time zone", fmt::format("{} ({})", escaped(zone.name), zone.origin)}};
    for (const std::string& line : aligned(head, {false, false})) {
      out += line + "\n";
    }
    out += "\n";
  }
  if (all.variables.empty()) {
    return out + "No variable of the job has a value.\n";
  }
  std::vector<std::vector<std::string>> rows = {{"Variable", "Value", "Expression", "From", "Where"}};
  for (const auto& one : all.variables) {
    for (std::size_t i = 0; i < one.places.size(); ++i) {
      if (i == 0) {
        rows.push_back({escaped(one.written), escaped(one.value), escaped(one.expression),
                        escaped(one.origin), one.places[i]});
      } else {
        rows.push_back({"", "", "", "", one.places[i]});
      }
    }
  }
  for (const std::string& line : aligned(rows, {false, false, false, false, false})) {
    out += line + "\n";
  }
  return out;
}

std::string params_json(const std::string& file, const job_variables& all, const zone_choice& zone) {
  json j = {{"version", 1}, {"job_file", file}, {"planned", json()}};
  if (all.planned) {
    j["planned"] = {{"time", all.planned->text()},
                    {"business_date", all.planned->business_date_text()},
                    {"origin", all.planned->origin},
                    {"given", all.planned->given}};
  }
  j["zone"] = {{"name", zone.name}, {"origin", zone.origin}};
  j["variables"] = json::array();
  for (const auto& one : all.variables) {
    j["variables"].push_back({{"variable", one.written},
                              {"value", one.value},
                              {"expression", one.expression},
                              {"origin", one.origin},
                              {"places", one.places}});
  }
  j["warnings"] = all.warnings;
  j["errors"] = all.errors;
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

int params_command(const params_arguments& arguments, const program& parts) {
  secret_filter secrets;
  const auto complain = [&](const std::string& line) { write_out(parts.err_fd, secrets.apply(line) + "\n"); };
  const auto options = load_options_for(arguments, parts, secrets);
  auto all = options ? load_variables(arguments.job_file, *options, lookup_in(*parts.plugins))
                     : tl::expected<job_variables, job_errors>(tl::unexpected(options.error()));
  if (!all) {
    complain(all_lines(all.error()));
    return exit_wrong_use;
  }
  job like;
  like.form = all->form;
  like.time_zone = all->time_zone;
  like.time_zone_place = all->time_zone_place;
  zone_choice zone;
  if (const auto chosen = choose_zone_for(like, arguments, parts, zone); !chosen) {
    complain(chosen.error().message);
    return zone.text_only ? exit_wrong_use : exit_failed;
  }
  print_out(parts, secrets.apply(arguments.json ? params_json(arguments.job_file, *all, zone)
                                                : params_text(*all, zone)));
  for (const std::string& line : all->warnings) {
    complain("warning: " + line);
  }
  for (const std::string& line : all->errors) {
    complain(line);
  }
  return all->errors.empty() ? exit_success : exit_wrong_use;
}

}  // namespace sluice
