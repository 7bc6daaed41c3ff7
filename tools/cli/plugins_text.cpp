#include "tools/cli/plugins_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "jobspec/describe.h"
#include "tools/cli/end_report.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

std::string or_no(const std::string& text, std::string_view no) {
  return text.empty() ? std::string(no) : text;
}

std::string_view type_text(option_type type) {
  switch (type) {
    case option_type::text:
      return "text";
    case option_type::character:
      return "one character";
    case option_type::delimiter:
      return "delimiter";
    case option_type::integer:
      return "integer";
    case option_type::number:
      return "number";
    case option_type::boolean:
      return "true or false";
    case option_type::text_list:
      return "list of texts";
    case option_type::object:
      return "object";
    case option_type::object_list:
      return "list of objects";
    case option_type::columns:
      break;
  }
  return "columns";
}

void put_options(std::string& out, const std::vector<option>& options, std::string_view parent) {
  for (const option& o : options) {
    out += fmt::format("  {}{}  ({}", parent, o.name, type_text(o.type));
    if (o.required) {
      out += ", required";
    }
    if (!o.default_text.empty()) {
      out += ", default " + o.default_text;
    }
    if (!o.datax_default_text.empty()) {
      out += ", in DataX jobs " + o.datax_default_text;
    }
    if (o.secret) {
      out += ", secret";
    }
    out += ")\n      " + o.meaning + "\n";
    if (!o.allowed.empty()) {
      out += fmt::format("      One of: {}\n", fmt::join(o.allowed, ", "));
    }
    if (!o.aliases.empty()) {
      out += fmt::format("      Also: {}\n", fmt::join(o.aliases, ", "));
    }
    put_options(out, o.members, std::string(parent) + o.name + ".");
  }
}

void put_side(std::string& out, std::string_view title, const side_description* side) {
  if (side == nullptr) {
    return;
  }
  const capabilities& can = side->can;
  const std::vector<std::vector<std::string>> rows = {
      {"splits", or_no(can.splits, "no")},
      {"resumes", or_no(can.resumes, "no: a split is read again whole")},
      {"incremental", or_no(can.incremental, "no")},
      {"distributes", can.distributable ? "yes" : "no"}};
  out += fmt::format("\n{}\n", title);
  for (const std::string& line : aligned(rows, {false, false})) {
    out += "  " + line + "\n";
  }
  out += "\n";
  put_options(out, side->options, "");
}

json options_of(const std::vector<option>& options) {
  json list = json::array();
  for (const option& o : options) {
    json one = {{"name", o.name},
                {"type", type_text(o.type)},
                {"meaning", o.meaning},
                {"required", o.required},
                {"secret", o.secret}};
    one["default"] = o.default_text.empty() ? json() : json(o.default_text);
    one["datax_default"] = o.datax_default_text.empty() ? one["default"] : json(o.datax_default_text);
    one["allowed"] = o.allowed;
    one["aliases"] = o.aliases;
    one["members"] = options_of(o.members);
    list.push_back(std::move(one));
  }
  return list;
}

json side_of(const side_description* side) {
  if (side == nullptr) {
    return {};
  }
  const capabilities& can = side->can;
  return {{"splits", can.splits},
          {"resumes", can.resumes},
          {"incremental", can.incremental},
          {"distributes", can.distributable},
          {"repeatable", can.repeatable},
          {"transactional", can.transactional},
          {"writers_max", can.writers_max},
          {"options", options_of(side->options)},
          {"schema", json::parse(options_schema(side->options).dump())}};
}

json plugin_of(const plugin& p) {
  json named = json::object();
  for (const alias_defaults& one : p.named_defaults) {
    for (const option_default& d : one.defaults) {
      named[one.alias][d.option] = d.value;
    }
  }
  return {{"name", p.name},
          {"summary", p.summary},
          {"aliases", p.aliases},
          {"named_defaults", std::move(named)},
          {"datax_readers", p.datax_readers},
          {"datax_writers", p.datax_writers},
          {"remarks", p.remarks},
          {"reader", side_of(p.reads)},
          {"writer", side_of(p.writes)}};
}

}  // namespace

std::string plugins_text(const std::vector<plugin>& plugins) {
  std::vector<std::vector<std::string>> rows;
  for (const plugin& p : plugins) {
    const char* sides = p.reads != nullptr && p.writes != nullptr ? "reads, writes"
                        : p.reads != nullptr                      ? "reads"
                                                                  : "writes";
    rows.push_back({p.name, sides, p.summary});
  }
  std::string out;
  for (const std::string& line : aligned(rows, {false, false, false})) {
    out += line + "\n";
  }
  return out + "\nsluice plugins NAME describes one of them.\n";
}

std::string plugin_text(const plugin& p) {
  std::string out = fmt::format("{}: {}\n", p.name, p.summary);
  if (!p.aliases.empty()) {
    out += fmt::format("Also: {}\n", fmt::join(p.aliases, ", "));
    for (const alias_defaults& one : p.named_defaults) {
      for (const option_default& d : one.defaults) {
        out += fmt::format("  {} sets {} to {}\n", one.alias, d.option, d.value);
      }
    }
  }
  std::vector<std::string> datax = p.datax_readers;
  datax.insert(datax.end(), p.datax_writers.begin(), p.datax_writers.end());
  if (!datax.empty()) {
    out += fmt::format("In DataX jobs: {}\n", fmt::join(datax, ", "));
  }
  put_side(out, "Reader", p.reads);
  put_side(out, "Writer", p.writes);
  for (const std::string& remark : p.remarks) {
    out += "\n" + remark + "\n";
  }
  return out;
}

std::string plugins_json(const std::vector<plugin>& plugins) {
  json list = json::array();
  for (const plugin& p : plugins) {
    list.push_back(plugin_of(p));
  }
  return json{{"version", 1}, {"plugins", std::move(list)}}.dump(2) + "\n";
}

std::string plugin_json(const plugin& p) {
  return json{{"version", 1}, {"plugin", plugin_of(p)}}.dump(2) + "\n";
}

}  // namespace sluice
