#include "tools/cli/job_schema.h"

#include <string>
#include <string_view>

#include "jobspec/catalogue.h"
#include "jobspec/describe.h"
#include "jobspec/setting_options.h"
#include "tools/cli/plugin_names.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

json reference(const std::string& name) {
  return {{"$ref", "#/definitions/" + name}};
}

/// The schemas of one dialect's parts; definitions are put into `definitions`.
class dialect_schema {
 public:
  dialect_schema(const std::vector<plugin>& plugins, dialect d, json& definitions)
      : plugins_(plugins),
        dialect_(d),
        prefix_(d == dialect::datax ? "datax_" : "script2_"),
        definitions_(definitions) {
    put("setting", json(options_schema(setting_options(d))));
    put("common", json(options_schema(common_options())));
  }

  [[nodiscard]] json root() const { return dialect_ == dialect::datax ? datax() : script2(); }

 private:
  void put(const std::string& name, json schema) const { definitions_[prefix_ + name] = std::move(schema); }
  [[nodiscard]] json part(const std::string& name) const { return reference(prefix_ + name); }

  /// Any name a file may use: ours first, which editors offer, then those that Sluice does not have yet.
  [[nodiscard]] json type_schema(bool reader) const {
    json ours = json::array();
    std::vector<std::string> known;
    for (const plugin& p : plugins_) {
      for (const std::string& name : names_of(p, reader, dialect_)) {
        ours.push_back(name);
        known.push_back(name);
      }
    }
    const auto catalogue = catalogue_names(reader, dialect_);
    known.insert(known.end(), catalogue.begin(), catalogue.end());
    if (dialect_ == dialect::datax) {
      // DataX's suffix may be left out.
      for (const std::string& name : std::vector<std::string>(known)) {
        if (name.ends_with(reader ? "reader" : "writer") && name.size() > 6) {
          known.push_back(name.substr(0, name.size() - 6));
        }
      }
    }
    return {{"description", reader ? "What reads the source." : "What writes the destination."},
            {"anyOf", {{{"enum", ours}}, {{"type", "string"}, {"pattern", any_case_pattern(known)}}}}};
  }

  /// For each plugin: where the type is one of its names, the parameter is described by its options.
  void add_conditions(json& all, bool reader, const std::string& type_key, const json& category) const {
    for (const plugin& p : plugins_) {
      const auto names = names_of(p, reader, dialect_);
      if (names.empty()) {
        continue;
      }
      const std::string name = p.name + (reader ? "_reader" : "_writer");
      put(name, json(options_schema((reader ? p.reads : p.writes)->options)));
      json when = {{"properties", {{type_key, {{"enum", names}}}}}, {"required", {type_key}}};
      if (!category.is_null()) {
        when["properties"]["category"] = category;
        when["required"].push_back("category");
      }
      all.push_back({{"if", when},
                     {"then", {{"properties", {{"parameter", part(name)}}}, {"required", {"parameter"}}}}});
    }
  }

  [[nodiscard]] static json category(const std::string& word) {
    return {{"type", "string"}, {"pattern", any_case_pattern({word})}};
  }

  [[nodiscard]] json step() const {
    json all = json::array();
    for (const bool reader : {true, false}) {
      const json side = category(reader ? "reader" : "writer");
      all.push_back(
          {{"if", {{"properties", {{"category", side}}}, {"required", {"category"}}}},
           {"then", {{"properties", {{"stepType", type_schema(reader)}}}, {"required", {"stepType"}}}}});
      add_conditions(all, reader, "stepType", side);
    }
    return {
        {"type", "object"},
        {"required", {"category"}},
        {"properties",
         {{"category",
           {{"description", "reader or writer."},
            {"anyOf",
             {{{"enum", {"reader", "writer"}}},
              category("reader"),
              category("writer"),
              category("processor"),
              // Known by name as systems are that Sluice does not have yet.
              category("map"),
              category("flatmap")}}}},
          // The manual's own script has null for its processor.
          {"stepType",
           {{"description", "The plugin; sluice plugins lists them."}, {"type", {"string", "null"}}}},
          {"name", {{"description", "For order.hops."}, {"type", {"string", "number", "null"}}}},
          {"parameter", {{"description", "The plugin's options."}, {"type", {"object", "string", "null"}}}}}},
        {"allOf", all}};
  }

  /// `contains` would do for both, but an object has it once.
  [[nodiscard]] static json one_of_category(const std::string& word) {
    return {
        {"contains",
         {{"type", "object"}, {"required", {"category"}}, {"properties", {{"category", category(word)}}}}}};
  }

  [[nodiscard]] json script2() const {
    put("step", step());
    const json hop = {
        {"type", "object"},
        {"required", {"from", "to"}},
        {"properties",
         {{"from", {{"type", {"string", "number"}}}}, {"to", {{"type", {"string", "number"}}}}}}};
    const json object_or_unset = {"object", "string", "null"};
    return {{"type", "object"},
            {"anyOf", {{{"required", {"steps"}}}, {{"required", {"configuration"}}}}},
            {"properties",
             {{"$schema", {{"type", "string"}}},
              {"type",
               {{"description", "Always job."},
                {"default", "job"},
                {"type", "string"},
                {"pattern", "^\\s*([jJ][oO][bB])?\\s*$"}}},
              {"version",
               {{"description", "Always 2.0."},
                {"default", "2.0"},
                {"enum", {"2.0", "1.0", 2.0, 1.0, "", nullptr}}}},
              {"steps",
               {{"description", "A step for the reader and one for the writer."},
                {"type", "array"},
                {"minItems", 2},
                {"items", part("step")},
                {"allOf", {one_of_category("reader"), one_of_category("writer")}}}},
              {"setting",
               {{"description", "Limits and formats of the run."},
                {"anyOf", {part("setting"), {{"type", {"string", "null"}}}}}}},
              {"common", {{"anyOf", {part("common"), {{"type", {"string", "null"}}}}}}},
              {"order",
               {{"description", "Which step gives its records to which."},
                {"type", object_or_unset},
                {"properties", {{"hops", {{"type", {"array", "null"}}, {"items", hop}}}}}}},
              {"configuration", {{"description", "An older shape of the same job."}, {"type", "object"}}}}}};
  }

  [[nodiscard]] json datax_end(bool reader) const {
    json all = json::array();
    add_conditions(all, reader, "name", nullptr);
    return {
        {"type", "object"},
        {"anyOf", {{{"required", {"name"}}}, {{"required", {"plugin"}}}}},
        {"properties",
         {{"name", type_schema(reader)},
          {"plugin", type_schema(reader)},
          {"parameter", {{"description", "The plugin's options."}, {"type", {"object", "string", "null"}}}}}},
        {"allOf", all}};
  }

  [[nodiscard]] json datax() const {
    put("reader", datax_end(true));
    put("writer", datax_end(false));
    put("content",
        {{"type", "object"},
         {"required", {"reader", "writer"}},
         {"properties",
          {{"reader", part("reader")},
           {"writer", part("writer")},
           {"transformer",
            {{"description", "What is done with each record, in order."},
             {"type", {"array", "null"}},
             {"items",
              {{"type", "object"},
               {"required", {"name"}},
               {"properties", {{"name", {{"type", "string"}}}, {"parameter", {{"type", "object"}}}}}}}}}}}});
    put("core", json(options_schema(core_options())));
    return {{"type", "object"},
            {"required", {"job"}},
            {"properties",
             {{"$schema", {{"type", "string"}}},
              {"core", part("core")},
              {"common", part("common")},
              {"job",
               {{"type", "object"},
                {"required", {"content"}},
                {"properties",
                 {{"setting", part("setting")},
                  {"content",
                   {{"description", "A list of one entry."},
                    {"anyOf",
                     {{{"type", "array"}, {"minItems", 1}, {"items", part("content")}},
                      part("content")}}}}}}}}}}};
  }

  const std::vector<plugin>& plugins_;
  dialect dialect_;
  std::string prefix_;
  json& definitions_;
};

}  // namespace

nlohmann::ordered_json job_schema(const std::vector<plugin>& plugins, std::optional<dialect> which) {
  json definitions = json::object();
  json out = {{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", which == dialect::datax     ? "Job of Sluice in DataX's form"
                        : which == dialect::script2 ? "Job of Sluice in script mode 2.0"
                                                    : "Job of Sluice"}};
  if (which) {
    out.update(dialect_schema(plugins, *which, definitions).root());
  } else {
    definitions["script2"] = dialect_schema(plugins, dialect::script2, definitions).root();
    definitions["datax"] = dialect_schema(plugins, dialect::datax, definitions).root();
    out["type"] = "object";
    out["if"] = {{"required", {"job"}}};
    out["then"] = reference("datax");
    out["else"] = reference("script2");
  }
  out["definitions"] = std::move(definitions);
  return out;
}

}  // namespace sluice
