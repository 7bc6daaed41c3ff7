#include "jobspec/job_shape.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "jobspec/check_options.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// The member as trimmed text; empty where it is missing, null, or something else (a finding).
std::string text_member(const json& object, std::string_view key, const std::string& path, findings& out) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) {
    return {};
  }
  if (!at->is_string() && !at->is_number()) {
    out.error(path_join(path, key), "expected a text");
    return {};
  }
  const std::string text = at->is_string() ? at->get<std::string>() : at->dump();
  return std::string(trimmed(text));
}

placed_json member(const json& object, std::string_view key, const std::string& path) {
  placed_json out{path_join(path, key), nullptr};
  if (object.is_object()) {
    if (const auto at = object.find(key); at != object.end()) {
      out.value = *at;
    }
  }
  return out;
}

/// A member that must be an object; an empty one where it is missing, null or blank.
json object_member(const json& object, std::string_view key, const std::string& path, findings& out) {
  const placed_json found = member(object, key, path);
  if (found.value.is_object()) {
    return found.value;
  }
  if (!found.value.is_null() && found.value != "") {
    out.error(found.path, "expected an object");
  }
  return json::object();
}

step_shape make_step(const json& step, const std::string& path, std::string_view type_key, findings& out) {
  step_shape shape;
  shape.path = path;
  shape.type_path = path_join(path, type_key);
  shape.type_text = text_member(step, type_key, path, out);
  if (shape.type_text.empty()) {
    out.error(path, fmt::format("{} is missing: the name of the plugin", in_quotes(type_key)));
  }
  shape.parameter_path = path_join(path, "parameter");
  shape.parameter = object_member(step, "parameter", path, out);
  const auto given = step.find("parameter");
  shape.parameter_is_wrong = given != step.end() && !given->is_object() && !given->is_null() && *given != "";
  return shape;
}

void take_end(std::optional<step_shape>& end, step_shape found, std::string_view side, findings& out) {
  if (end) {
    out.error(found.path,
              fmt::format("is a second {0}, after {1}; a job has one {0}, so write a job for each", side,
                          end->path));
    return;
  }
  end = std::move(found);
}

void require_end(const std::optional<step_shape>& end, std::string_view side, std::string_view path,
                 findings& out) {
  if (!end) {
    out.error(path, fmt::format("there is no {0}; a job needs one step of the category {1}", side,
                                in_quotes(side)));
  }
}

enum class role { reader, writer, other };

/// One named step, for the hops.
struct named_step {
  std::string name;
  role what = role::other;
  bool mistaken = false;  ///< It may have been meant as the reader or writer.
};

/// Reads one entry of `steps`.
named_step read_step(const json& step, const std::string& path, job_shape& shape, findings& out) {
  static constexpr std::array<std::string_view, 5> categories = {"reader", "writer", "processor", "map",
                                                                 "flatmap"};
  static constexpr std::array<std::string_view, 4> keys = {"stepType", "category", "name", "parameter"};
  if (!step.is_object()) {
    out.error(path, "expected a step: an object with \"stepType\", \"category\" and \"parameter\"");
    return {{}, role::other, true};
  }
  named_step named{text_member(step, "name", path, out), role::other, false};
  const std::string category_text = text_member(step, "category", path, out);
  const std::string category = lower(category_text);
  const std::string category_path = path_join(path, "category");
  if (category == "reader" || category == "writer") {
    check_keys(step, path, keys, out);
    const bool reads = category == "reader";
    named.what = reads ? role::reader : role::writer;
    take_end(reads ? shape.reader : shape.writer, make_step(step, path, "stepType", out), category, out);
  } else if (category == "map" || category == "flatmap") {
    const std::string type = text_member(step, "stepType", path, out);
    out.not_supported(
        path, fmt::format("{} step {}", category, type.empty() ? "without a stepType" : escaped(lower(type))),
        fmt::format(
            "the transforming step {} of the category {} is not supported; take it out, and transform "
            "in the reader's query, or with dx_ functions in the list \"transformer\" beside "
            "\"steps\"",
            in_quotes(type), in_quotes(category)));
  } else if (category.empty()) {
    named.mistaken = true;
    out.error(path, "\"category\" is missing: \"reader\" or \"writer\"");
  } else if (category != "processor") {
    named.mistaken = true;
    const auto near = nearest(category, categories);
    out.error(category_path,
              fmt::format("found {}, expected \"reader\" or \"writer\"{}", in_quotes(category_text),
                          near.empty() ? "" : fmt::format("; did you mean {}?", in_quotes(near))));
  }
  return named;
}

/// One end of a hop as the step it names; nothing where it names none.
std::optional<role> hop_end(const json& hop, std::string_view key, const std::string& path,
                            const std::vector<named_step>& steps, findings& out) {
  const std::string name = text_member(hop, key, path, out);
  std::vector<std::string> names;
  for (const auto& step : steps) {
    if (!name.empty() && step.name == name) {
      return step.what;
    }
    if (!step.name.empty()) {
      names.push_back(step.name);
    }
  }
  if (name.empty()) {
    out.error(path, fmt::format("the hop has no {}; it names a step", in_quotes(key)));
    return std::nullopt;
  }
  const auto near = nearest(name, names);
  out.error(path_join(path, key),
            fmt::format("no step has the name {}{}", in_quotes(name),
                        near.empty() ? "; correct it, or leave \"order\" out"
                                     : fmt::format("; did you mean {}?", in_quotes(near))));
  return std::nullopt;
}

void check_names(const std::vector<named_step>& steps, findings& out) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].name.empty() && !seen.insert(steps[i].name).second) {
      out.error(path_join(path_join("steps", i), "name"),
                fmt::format("the name {} is taken by an earlier step; the hops need names of their own",
                            in_quotes(steps[i].name)));
    }
  }
}

void check_hops(const json& order, const std::vector<named_step>& steps, findings& out) {
  static constexpr std::array<std::string_view, 1> keys = {"hops"};
  check_keys(order, "order", keys, out);
  const placed_json hops = member(order, "hops", "order");
  if (hops.value.is_null()) {
    return;
  }
  if (!hops.value.is_array()) {
    out.error(hops.path, "expected a list of hops: [{\"from\": \"Reader\", \"to\": \"Writer\"}]");
    return;
  }
  if (!hops.value.empty()) {
    check_names(steps, out);
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < hops.value.size(); ++i) {
    const json& hop = hops.value[i];
    const std::string path = path_join(hops.path, i);
    if (!hop.is_object()) {
      out.error(path, "expected a hop: {\"from\": \"Reader\", \"to\": \"Writer\"}");
      continue;
    }
    static constexpr std::array<std::string_view, 2> ends = {"from", "to"};
    check_keys(hop, path, ends, out);
    const auto from = hop_end(hop, "from", path, steps, out);
    const auto to = hop_end(hop, "to", path, steps, out);
    if (!from || !to) {
      continue;
    }
    // Hops through a processor carry nothing: such a step is ignored.
    if (text_member(hop, "from", path, out) == text_member(hop, "to", path, out)) {
      out.error(path, "this hop goes from a step to itself; data go from the reader to the writer");
    } else if (*from == role::writer || *to == role::reader) {
      out.error(path, "this hop goes backwards; data go from the reader to the writer");
    } else if (!seen.emplace(text_member(hop, "from", path, out), text_member(hop, "to", path, out)).second) {
      out.error(path, "this hop is given twice");
    }
  }
}

/// `type` and `version` of a 2.0 file. Version 1.0 with steps is the same format under its old number.
void check_head(const json& root, findings& out) {
  const std::string type = text_member(root, "type", "", out);
  if (type.empty()) {
    out.warning("", "\"type\" is missing; taken as \"job\"");
  } else if (!same_word(type, "job")) {
    out.error("type", fmt::format("found {}, expected \"job\"; other kinds of scripts are not jobs",
                                  in_quotes(type)));
  }
  const std::string version = text_member(root, "version", "", out);
  if (version.empty()) {
    out.warning("", "\"version\" is missing; taken as \"2.0\"");
  } else if (version != "2.0" && version != "1.0") {
    out.error("version", fmt::format("found {}, expected \"2.0\"", in_quotes(version)));
  }
}

void find_script2(const json& root, job_shape& shape, findings& out) {
  static constexpr std::array<std::string_view, 8> keys = {
      "type", "version", "steps", "setting", "order", "common", "configuration", "transformer"};
  check_head(root, out);
  check_keys(root, "", keys, out);
  shape.setting = {"setting", object_member(root, "setting", "", out)};
  shape.common = member(shape.setting.value, "common", "setting");
  if (shape.common.value.is_null()) {
    shape.common = member(root, "common", "");
  }
  const placed_json steps = member(root, "steps", "");
  if (!steps.value.is_array()) {
    out.error(steps.value.is_null() ? "" : steps.path,
              "\"steps\" must be a list with a step for the reader and one for the writer");
    return;
  }
  std::vector<named_step> named;
  for (std::size_t i = 0; i < steps.value.size(); ++i) {
    named.push_back(read_step(steps.value[i], path_join(steps.path, i), shape, out));
  }
  // A step whose category is wrong has been reported; it may be the one that is missing.
  if (std::none_of(named.begin(), named.end(), [](const named_step& step) { return step.mistaken; })) {
    require_end(shape.reader, "reader", steps.path, out);
    require_end(shape.writer, "writer", steps.path, out);
  }
  check_hops(object_member(root, "order", "", out), named, out);
  shape.transformers = member(root, "transformer", "");
}

/// The sibling of 2.0 with one `configuration` (job-formats 1.7): the same under other names.
void find_configuration(const json& root, job_shape& shape, findings& out) {
  static constexpr std::array<std::string_view, 3> keys = {"type", "version", "configuration"};
  check_head(root, out);
  check_keys(root, "", keys, out);
  static constexpr std::array<std::string_view, 3> parts = {"reader", "writer", "setting"};
  static constexpr std::array<std::string_view, 2> ends = {"plugin", "parameter"};
  const std::string path = "configuration";
  const json whole = object_member(root, path, "", out);
  check_keys(whole, path, parts, out);
  for (const bool reads : {true, false}) {
    const std::string_view side = reads ? "reader" : "writer";
    const placed_json end = member(whole, side, path);
    if (!end.value.is_object()) {
      out.error(path, fmt::format("there is no {0}; {1} is an object with \"plugin\" and \"parameter\"", side,
                                  in_quotes(side)));
      continue;
    }
    check_keys(end.value, end.path, ends, out);
    (reads ? shape.reader : shape.writer) = make_step(end.value, end.path, "plugin", out);
  }
  shape.setting = {path_join(path, "setting"), object_member(whole, "setting", path, out)};
  shape.common = member(shape.setting.value, "common", shape.setting.path);
}

/// One end of a DataX job.
void find_datax_end(const json& content, const std::string& path, bool reads, job_shape& shape,
                    findings& out) {
  static constexpr std::array<std::string_view, 3> keys = {"name", "plugin", "parameter"};
  const std::string_view side = reads ? "reader" : "writer";
  const placed_json end = member(content, side, path);
  if (!end.value.is_object()) {
    out.error(end.value.is_null() ? path : end.path,
              fmt::format("there is no {0}; {1} is an object with \"name\" and \"parameter\"", side,
                          in_quotes(side)));
    return;
  }
  check_keys(end.value, end.path, keys, out);
  const bool by_plugin = end.value.contains("plugin") && !end.value.contains("name");
  if (by_plugin) {
    out.warning(path_join(end.path, "plugin"), "taken as \"name\", as a DataX file has it");
  }
  (reads ? shape.reader : shape.writer) = make_step(end.value, end.path, by_plugin ? "plugin" : "name", out);
}

void find_datax(const json& root, job_shape& shape, findings& out) {
  static constexpr std::array<std::string_view, 7> root_keys = {"job",  "core",    "common", "entry",
                                                                "type", "version", "steps"};
  static constexpr std::array<std::string_view, 6> job_keys = {"setting", "content",    "core",
                                                               "common",  "preHandler", "postHandler"};
  static constexpr std::array<std::string_view, 3> content_keys = {"reader", "writer", "transformer"};
  check_keys(root, "", root_keys, out);
  const json job = object_member(root, "job", "", out);
  shape.setting = {"job.setting", object_member(job, "setting", "job", out)};
  check_keys(job, "job", job_keys, out);
  for (const std::string_view key : {"core", "common"}) {
    const std::string beside = fmt::format(
        "has no effect here; in a DataX file {} stands at the top, beside \"job\"", in_quotes(key));
    if (const placed_json lost = member(job, key, "job"); !lost.value.is_null()) {
      out.odd(lost.path, beside);
    }
    if (const placed_json lost = member(shape.setting.value, key, shape.setting.path);
        !lost.value.is_null()) {
      out.odd(lost.path, beside);
      shape.setting.value.erase(std::string(key));
    }
  }
  shape.common = member(root, "common", "");
  shape.core = member(root, "core", "");
  for (const std::string_view handler : {"preHandler", "postHandler"}) {
    const placed_json found = member(job, handler, "job");
    if (found.value.is_object() && !found.value.empty()) {
      out.error(found.path,
                "a handler plugin is not supported; use preSql or postSql of the writer, or --on-end");
    }
  }
  placed_json content = member(job, "content", "job");
  if (content.value.is_array() && !content.value.empty()) {
    if (content.value.size() > 1) {
      out.warning(path_join(content.path, std::size_t{1}),
                  "only the first entry of \"content\" is run, as in DataX; write a job for each");
    }
    content = {path_join(content.path, std::size_t{0}), content.value.front()};
  }
  if (!content.value.is_object()) {
    out.error(content.value.is_null() ? "job" : content.path,
              "\"content\" must be a list with one object that has \"reader\" and \"writer\"");
    return;
  }
  check_keys(content.value, content.path, content_keys, out);
  find_datax_end(content.value, content.path, true, shape, out);
  find_datax_end(content.value, content.path, false, shape, out);
  shape.transformers = member(content.value, "transformer", content.path);
}

/// A document that is known and is no job: the keys it is known by, and what to do.
struct known_stranger {
  std::string_view key;
  std::string_view other_key;
  std::string_view message;
};

constexpr std::array<known_stranger, 5> strangers = {{
    {"srcType", "dstType",
     "this is a task of the wizard from before 2018; open it in the product, switch it to script mode and "
     "save that"},
    {"kind", "spec", "this is a workflow specification; the job is the text of its node's script"},
    {"source", "sink",
     "this is a job of another engine; write it anew as script mode 2.0, with \"steps\" for reader and "
     "writer"},
    {"content", "content", "this is the inside of a DataX job; put it into {\"job\": ...}"},
    {"reader", "writer",
     "this is one entry of a DataX job's \"content\"; put it into {\"job\": {\"content\": [...], "
     "\"setting\": {\"speed\": {\"channel\": 1}}}}"},
}};

/// What to say of a document that is no job.
std::string describe_stranger(const json& root) {
  std::string hint;
  if (root.is_object()) {
    for (const known_stranger& known : strangers) {
      if (root.contains(known.key) && root.contains(known.other_key)) {
        return std::string(known.message);
      }
    }
    for (const auto& [key, value] : root.items()) {
      if (const auto near = nearest(key, std::array<std::string_view, 2>{"steps", "job"}); !near.empty()) {
        hint = fmt::format("; did you mean {} instead of {}?", in_quotes(near), in_quotes(key));
      }
    }
  }
  return fmt::format(
      "this is no job: expected an object with \"steps\" (script mode 2.0) or with \"job\" and its "
      "\"content\" (DataX){}",
      hint);
}

}  // namespace

std::optional<dialect> recognise(const json& root) {
  if (!root.is_object()) {
    return std::nullopt;
  }
  if (const auto job = root.find("job"); job != root.end() && job->is_object()) {
    return dialect::datax;
  }
  const auto type = root.find("type");
  const bool typed = type != root.end() && type->is_string();
  if (root.contains("steps") || root.contains("configuration") || typed) {
    return dialect::script2;
  }
  return std::nullopt;
}

job_shape find_shape(const json& root, findings& out) {
  job_shape shape;
  const auto form = recognise(root);
  if (!form && root.is_object() && root.contains("job")) {
    out.error("job", "expected an object with \"setting\" and \"content\"");
    return shape;
  }
  if (!form) {
    out.error("", describe_stranger(root));
    return shape;
  }
  shape.form = *form;
  if (*form == dialect::datax) {
    if (root.contains("steps")) {
      out.error(
          "steps",
          "the file has \"steps\" (script mode 2.0) and \"job\" (DataX), which are two jobs; keep one of "
          "them");
    }
    find_datax(root, shape, out);
  } else if (root.contains("configuration") && !root.contains("steps")) {
    find_configuration(root, shape, out);
  } else {
    find_script2(root, shape, out);
  }
  return shape;
}

}  // namespace sluice
