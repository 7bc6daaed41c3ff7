#include "tools/cli/job_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t line_chars_max = 110;
constexpr std::size_t indent_chars = 2;

std::string compact(const json& value) {
  // As people write it: a blank behind colons and commas.
  if (value.is_object()) {
    std::string out;
    for (const auto& [key, inner] : value.items()) {
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", json(key).dump(), compact(inner));
    }
    return "{" + out + "}";
  }
  if (value.is_array()) {
    std::string out;
    for (const auto& inner : value) {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", compact(inner));
    }
    return "[" + out + "]";
  }
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A value of JSON in the form of the option's default text.
std::string default_as_json(const option& o) {
  if (o.default_text.empty()) {
    return o.type == option_type::boolean       ? "false"
           : o.type == option_type::text_list   ? "[]"
           : o.type == option_type::object      ? "{}"
           : o.type == option_type::object_list ? "[]"
                                                : "\"\"";
  }
  const bool as_it_is = o.type == option_type::integer || o.type == option_type::number ||
                        o.type == option_type::boolean || o.default_text.starts_with('[') ||
                        o.default_text.starts_with('{');
  return as_it_is ? o.default_text : json(o.default_text).dump();
}

/// Writes lines at a depth.
class page {
 public:
  void line(const std::string& text) { out_ += std::string(depth_ * indent_chars, ' ') + text + "\n"; }
  void open(const std::string& text) {
    line(text);
    ++depth_;
  }
  void close(const std::string& text) {
    --depth_;
    line(text);
  }
  void comment(const std::string& text) {
    const std::size_t room = line_chars_max - std::min<std::size_t>(depth_ * indent_chars + 3, 60);
    std::string rest = text;
    while (!rest.empty()) {
      std::size_t cut = rest.size() <= room ? rest.size() : rest.rfind(' ', room);
      cut = cut == std::string::npos || cut == 0 ? std::min(rest.find(' ', room), rest.size()) : cut;
      line("// " + rest.substr(0, cut));
      rest.erase(0, std::min(rest.find_first_not_of(' ', cut), rest.size()));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::size_t depth_ = 0;
};

void put_columns(page& out, const sketched_option& o, const end_sketch& sketch, const char* comma) {
  out.open("\"column\": [");
  for (std::size_t i = 0; i < o.value.size(); ++i) {
    const std::string& why = i < sketch.column_comments.size() ? sketch.column_comments[i] : std::string();
    out.line(fmt::format("{}{}{}", compact(o.value[i]), i + 1 < o.value.size() ? "," : "",
                         why.empty() ? "" : "  // " + why));
  }
  out.close(fmt::format("]{}", comma));
}

void put_parameter(page& out, const template_end& end, const std::vector<option>& described) {
  out.open("\"parameter\": {");
  for (const std::string& remark : end.sketch.remarks) {
    out.comment(remark);
  }
  const auto& options = end.sketch.options;
  for (std::size_t i = 0; i < options.size(); ++i) {
    // The options that follow as comments can be taken in as they are.
    const char* comma = i + 1 < options.size() || end.with_other_options ? "," : "";
    if (!options[i].comment.empty()) {
      out.comment(options[i].comment);
    }
    if (options[i].name == "column" && options[i].value.is_array() && options[i].value.size() > 1) {
      put_columns(out, options[i], end.sketch, comma);
    } else {
      out.line(fmt::format("{}: {}{}", json(options[i].name).dump(), compact(options[i].value), comma));
    }
  }
  if (end.with_other_options) {
    bool first = true;
    for (const option& o : described) {
      const bool set = std::any_of(options.begin(), options.end(),
                                   [&](const sketched_option& s) { return s.name == o.name; });
      if (set) {
        continue;
      }
      if (first) {
        out.comment("More options, as they are where they are left out:");
        first = false;
      }
      out.comment(o.meaning);
      out.comment(fmt::format("{}: {},", json(o.name).dump(), default_as_json(o)));
    }
  }
  out.close("}");
}

const std::vector<option>& options_of(const template_end& end, bool reader) {
  return (reader ? end.of->reads : end.of->writes)->options;
}

/// As many as the destination takes, at most as many as an absent number means in 2.0.
std::uint32_t concurrency_of(const job_draft& draft) {
  constexpr std::uint32_t usual = 3;
  const std::uint32_t most = draft.writer.of->writes->can.writers_max;
  return most == 0 ? usual : std::min(most, usual);
}

std::string concurrency_comment(const job_draft& draft) {
  return concurrency_of(draft) == 1 && draft.writer.of->writes->can.writers_max == 1
             ? "Pipelines at a time: this destination takes one."
             : "Pipelines at a time.";
}

std::string error_comment(const job_draft& draft) {
  return draft.error_limit == 0
             ? "No dirty record is borne: the run fails with the first one. A higher number bears that many."
             : "So many dirty records are borne: one more fails the run.";
}

void put_script2(page& out, const job_draft& draft) {
  out.open("{");
  out.line("\"type\": \"job\",");
  out.line("\"version\": \"2.0\",");
  out.open("\"steps\": [");
  for (const bool reader : {true, false}) {
    const template_end& end = reader ? draft.reader : draft.writer;
    out.open("{");
    out.line(fmt::format("\"stepType\": {},", json(end.of->name).dump()));
    out.line(fmt::format("\"category\": \"{}\",", reader ? "reader" : "writer"));
    out.line(fmt::format("\"name\": \"{}\",", reader ? "Reader" : "Writer"));
    put_parameter(out, end, options_of(end, reader));
    out.close(reader ? "}," : "}");
  }
  out.close("],");
  out.open("\"setting\": {");
  out.comment(error_comment(draft));
  out.line(fmt::format("\"errorLimit\": {{\"record\": \"{}\"}},", draft.error_limit));
  out.comment(concurrency_comment(draft) +
              " With \"throttle\": true and \"mbps\": 10 the job moves at most 10 MiB a second.");
  out.line(fmt::format("\"speed\": {{\"concurrent\": {}, \"throttle\": false}}", concurrency_of(draft)));
  out.close("},");
  out.line("\"order\": {\"hops\": [{\"from\": \"Reader\", \"to\": \"Writer\"}]}");
  out.close("}");
}

void put_datax(page& out, const job_draft& draft) {
  out.open("{");
  out.open("\"job\": {");
  out.open("\"setting\": {");
  out.comment(error_comment(draft));
  out.line(fmt::format("\"errorLimit\": {{\"record\": {}}},", draft.error_limit));
  out.comment(concurrency_comment(draft));
  out.line(fmt::format("\"speed\": {{\"channel\": {}}}", concurrency_of(draft)));
  out.close("},");
  out.open("\"content\": [");
  out.open("{");
  for (const bool reader : {true, false}) {
    const template_end& end = reader ? draft.reader : draft.writer;
    const auto& names = reader ? end.of->datax_readers : end.of->datax_writers;
    out.open(fmt::format("\"{}\": {{", reader ? "reader" : "writer"));
    out.line(fmt::format("\"name\": {},", json(names.empty() ? end.of->name : names.front()).dump()));
    put_parameter(out, end, options_of(end, reader));
    out.close(reader ? "}," : "}");
  }
  out.close("}");
  out.close("]");
  out.close("}");
  out.close("}");
}

}  // namespace

template_end end_of_sample(const plugin& p, const side_description& side) {
  template_end end;
  end.of = &p;
  end.with_other_options = true;
  end.sketch.remarks.push_back("Places, names and columns here are an example: put yours in.");
  const json sample = json::parse(side.sample.empty() ? "{}" : side.sample, nullptr, false);
  for (const auto& [name, value] : sample.items()) {
    const auto at = std::find_if(side.options.begin(), side.options.end(),
                                 [&key = name](const option& o) { return o.name == key; });
    end.sketch.options.push_back({name, value, at == side.options.end() ? "" : at->meaning});
  }
  return end;
}

std::string job_text(const job_draft& draft) {
  page out;
  for (const std::string& line : draft.head) {
    out.comment(line);
  }
  draft.form == dialect::datax ? put_datax(out, draft) : put_script2(out, draft);
  return out.take();
}

}  // namespace sluice
