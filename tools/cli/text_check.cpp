#include "tools/cli/text_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "actors/plan/column_order.h"
#include "actors/supervise/make_ends.h"
#include "jobspec/words.h"
#include "plugins/common/output/text_encoder.h"
#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"
#include "transport/record/date_pattern.h"
#include "transport/record/transform.h"

namespace sluice {
namespace {

/// The lines of a failure, which may have several.
void add_lines(const error& why, std::vector<std::string>& to) {
  std::string_view rest = why.message;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    to.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

/// Whether a text has a comma that separates columns, outside of quotes and parentheses.
bool lists_several(std::string_view text) {
  int depth = 0;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '(' || c == ')') {
      depth += c == '(' ? 1 : -1;
    } else if (c == ',' && depth == 0) {
      return true;
    }
  }
  return false;
}

/// The columns that an end lists by their names, empty for an expression; nothing where its text does not say
/// how many it has.
std::optional<schema> listed_columns(const option_values& values) {
  const auto& all = values.json();
  const auto at = all.is_object() ? all.find("column") : all.end();
  if (at == all.end() || !at->is_array() || at->empty()) {
    return std::nullopt;
  }
  schema columns;
  for (const auto& entry : *at) {
    field column{{}, type_of(type_id::utf8), true, {}};
    if (entry.is_string()) {
      const std::string text(trimmed(entry.get_ref<const std::string&>()));
      if (text.empty() || text == "*" || lists_several(text)) {
        return std::nullopt;
      }
      column.name = text;
    } else if (entry.is_object()) {
      const auto name = entry.find("name");
      column.name = name != entry.end() && name->is_string() ? name->get<std::string>() : "";
    } else {
      return std::nullopt;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

bool has_query(const option_values& values) {
  const auto connections = values.object_list("connection");
  return values.has("querySql") ||
         (connections && std::any_of(connections->begin(), connections->end(),
                                     [](const option_values& one) { return one.has("querySql"); }));
}

class text_check {
 public:
  text_check(const job& what, const std::vector<plugin>& plugins)
      : what_(what),
        reader_(what.reader.plugin.empty() ? nullptr : find_plugin(plugins, what.reader.plugin)),
        writer_(what.writer.plugin.empty() ? nullptr : find_plugin(plugins, what.writer.plugin)) {}

  text_verdict run() {
    check_zone();
    check_formats();
    check_encoding();
    make_ends();
    for (const auto& [known, values] :
         {std::pair{reader_, &what_.reader.parameter}, std::pair{writer_, &what_.writer.parameter}}) {
      if (known != nullptr) {
        check_column_text(*values);
        check_connection(*values);
      }
    }
    std::optional<schema> from;
    if (reader_ != nullptr && !has_query(what_.reader.parameter)) {
      from = listed_columns(what_.reader.parameter);
    }
    if (what_.verify && writer_ != nullptr && writer_->read_back_of == nullptr) {
      out_.errors.push_back(fmt::format(
          "{}: setting.verify is true, and what {} writes cannot be read again; leave the setting out",
          what_.writer.place, what_.writer.type_text));
    }
    const bool steps_fit = check_transformers(from);
    const bool writer_lists = writer_ != nullptr && writer_->writes != nullptr &&
                              option_named(writer_->writes->options, "column") != nullptr;
    const auto to = writer_lists ? listed_columns(what_.writer.parameter) : std::nullopt;
    if (from && to && steps_fit) {
      compare(*from, *to);
    } else if (from && writer_ != nullptr && writer_->writes != nullptr && steps_fit) {
      compare_with_heading(names_of(*from));
    }
    return std::move(out_);
  }

 private:
  void check_zone() {
    if (!what_.time_zone) {
      return;
    }
    if (const auto zone = time_zone::find(*what_.time_zone); !zone) {
      out_.errors.push_back(fmt::format("{}: {}", what_.time_zone_place, zone.error().message));
    }
  }

  void check_formats() {
    const auto usable = [&](const std::string& key, const std::optional<std::string>& text) {
      if (!text) {
        return;
      }
      if (const auto pattern = date_pattern::make(*text); !pattern) {
        formats_are_good_ = false;
        out_.errors.push_back(fmt::format("{}: {}", place_of(key), pattern.error().message));
      }
    };
    usable("datetimeFormat", what_.formats.datetime_format);
    usable("dateFormat", what_.formats.date_format);
    usable("timeFormat", what_.formats.time_format);
    if (what_.formats.extra_formats) {
      for (const std::string& text : *what_.formats.extra_formats) {
        usable("extraFormats", text);
      }
    }
  }

  void check_encoding() {
    if (what_.formats.encoding_is_utf8()) {
      return;
    }
    const std::string place = place_of("encoding");
    if (const auto known = text_encoder::make(*what_.formats.encoding); !known) {
      out_.errors.push_back(fmt::format("{}: {}", place, known.error().message));
    } else {
      out_.warnings.push_back(fmt::format(
          "{}: between binary values and text only UTF-8 is supported: with {} a job in which one "
          "becomes the other is refused",
          place, in_quotes(*what_.formats.encoding)));
    }
  }

  /// Makes both ends as a run does, for what they say of their options.
  void make_ends() {
    plugin_context context;
    context.pool = buffer_pool::make(0);
    const auto zone = time_zone::find(what_.time_zone.value_or(what_.planned ? what_.planned->zone : "UTC"));
    context.zone = zone ? *zone : *time_zone::find("UTC");
    if (formats_are_good_) {
      context.formats = conversion_of(what_, context.zone);
    } else {
      context.formats.zone = context.zone;
    }
    context.job_dialect = what_.form;
    context.job_name = what_.name;
    context.warn = [](const std::string&) {};
    const delivery_settings& asked = what_.delivery;
    context.marks = {asked.no_marks, asked.progress_table, asked.progress_table_place};
    if (reader_ != nullptr && reader_->make_source != nullptr) {
      if (const auto made = reader_->make_source(what_.reader.parameter, context); !made) {
        add_lines(made.error(), out_.errors);
      }
    }
    if (writer_ != nullptr && writer_->make_target != nullptr) {
      if (const auto made = writer_->make_target(what_.writer.parameter, context); !made) {
        add_lines(made.error(), out_.errors);
      }
    }
  }

  void check_column_text(const option_values& values) {
    const auto& all = values.json();
    const auto at = all.is_object() ? all.find("column") : all.end();
    if (at != all.end() && at->is_string() && lists_several(at->get_ref<const std::string&>())) {
      out_.errors.push_back(fmt::format("{}: found {}, one text; write a list with a text for each column",
                                        values.place("column"),
                                        in_quotes(at->get_ref<const std::string&>())));
    }
  }

  /// What stands in `connection` and beside it, and what DataX takes only one of (job-formats 6.5).
  void check_connection(const option_values& values) {
    const auto connections = values.object_list("connection");
    if (!connections || connections->size() != 1) {
      return;
    }
    const option_values& inner = connections->front();
    for (const std::string name : {"jdbcUrl", "table", "querySql"}) {
      const auto own = values.text_list(name);
      const auto in_list = inner.text_list(name);
      if (values.has(name) && inner.has(name) && own && in_list && *own != *in_list) {
        out_.warnings.push_back(
            fmt::format("{}: has no effect: \"connection\" says otherwise, and goes before; keep one of them",
                        values.place(name)));
      }
    }
    if (what_.form == dialect::datax && inner.has("table") && inner.has("querySql")) {
      out_.errors.push_back(
          fmt::format("{}: \"connection\" has \"table\" and \"querySql\"; as in DataX it takes one of them",
                      inner.place("querySql")));
    }
  }

  /// Whether the steps could be made. Where the reader does not list its columns, their number is no mistake.
  bool check_transformers(const std::optional<schema>& from) {
    schema columns = from.value_or(schema());
    for (const transformer_spec& spec : what_.transformers) {
      constexpr std::uint32_t columns_max = 100'000;
      if (!from && spec.column_index < columns_max && spec.column_index >= columns.size()) {
        columns.resize(spec.column_index + 1, {{}, type_of(type_id::utf8), true, {}});
      }
    }
    conversion_context context;
    context.zone = *time_zone::find("UTC");
    bool good = true;
    for (const transformer_spec& spec : what_.transformers) {
      const auto step = make_step(spec.name, spec.column_index, spec.paras, spec.place, columns, context);
      if (!step) {
        good = false;
        add_lines(step.error(), out_.errors);
      }
    }
    return good;
  }

  void compare(const schema& from, const schema& to) {
    if (option_named(writer_->writes->options, "mapping") != nullptr) {
      const auto mapping = what_.writer.parameter.text("mapping");
      if (mapping && *mapping == "name") {
        out_.order_compared = true;  // the destination pairs them
        return;
      }
    }
    const std::string place = what_.writer.parameter.place("column");
    if (from.size() != to.size()) {
      out_.errors.push_back(
          fmt::format("{}: the reader lists {} columns, the writer {}; columns are mapped by position, give "
                      "both the same number",
                      place, from.size(), to.size()));
      return;
    }
    out_.order_compared = true;
    tell_order(place, other_order(names_of(from), names_of(to)));
  }

  /// The names that the job gives to what the destination takes as it comes. Where a column of the reader has
  /// no name in the job, its own heading may tell one.
  void compare_with_heading(const std::vector<std::string>& from) {
    if (option_named(writer_->writes->options, "header") == nullptr) {
      return;
    }
    const auto heading = what_.writer.parameter.text_list("header");
    const bool named =
        std::none_of(from.begin(), from.end(), [](const std::string& name) { return name.empty(); });
    if (!heading || !named || heading->size() != from.size()) {
      return;
    }
    out_.order_compared = true;
    tell_order(what_.writer.parameter.place("header"), other_order(from, *heading));
  }

  void tell_order(const std::string& place, const std::string& order) {
    if (!order.empty()) {
      (what_.strict ? out_.errors : out_.warnings)
          .push_back(fmt::format("{}: {}{}", place, order, what_.strict ? " (--strict)" : ""));
    }
  }

  [[nodiscard]] std::string place_of(const std::string& key) const {
    const auto at = what_.formats.places.find(key);
    return at == what_.formats.places.end() ? what_.file : at->second;
  }

  const job& what_;
  const plugin* reader_;
  const plugin* writer_;
  bool formats_are_good_ = true;
  text_verdict out_;
};

}  // namespace

text_verdict check_text(const job& what, const std::vector<plugin>& plugins) {
  return text_check(what, plugins).run();
}

}  // namespace sluice
