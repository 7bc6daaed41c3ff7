#include "tools/cli/draft_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// A plugin with the place that a text names, or without one where the text is the plugin's name.
struct named_end {
  const plugin* of = nullptr;
  std::optional<end_place> where;
};

result<named_end> find_end(const std::string& text, bool reader, const std::vector<plugin>& plugins) {
  const std::string_view side = reader ? "reader" : "writer";
  for (const plugin& p : plugins) {
    auto where = p.recognise == nullptr ? std::nullopt : p.recognise(text);
    if (where && (reader ? p.sketch_source != nullptr : p.sketch_target != nullptr)) {
      return named_end{&p, std::move(where)};
    }
  }
  if (const plugin* p = find_plugin(plugins, text)) {
    if ((reader ? p->reads : p->writes) == nullptr) {
      return fail(error_kind::bad_option, "the plugin {} has no {}", sluice::quoted(text), side);
    }
    return named_end{p, std::nullopt};
  }
  std::vector<std::string> names;
  for (const plugin& p : plugins) {
    names.push_back(p.name);
  }
  const std::string near(nearest(text, names_in(plugins)));
  return fail(error_kind::bad_option,
              "{} names no {}{}; give a file such as orders.csv or csv:orders.data, a table such as "
              "shop.db:orders or sqlite:FILE:TABLE, or a plugin: {}",
              sluice::quoted(text), side, near.empty() ? "" : fmt::format(" (did you mean {}?)", near),
              fmt::join(names, ", "));
}

result<template_end> sketched(const named_end& end, result<end_sketch> sketch) {
  if (!sketch) {
    return fail(std::move(sketch).error());
  }
  template_end out;
  out.of = end.of;
  out.sketch = std::move(*sketch);
  return out;
}

result<void> add_where(const draft_request& request, template_end& reader) {
  if (!request.where) {
    return {};
  }
  const auto& options = reader.of->reads->options;
  if (std::none_of(options.begin(), options.end(), [](const option& o) { return o.name == "where"; })) {
    return fail(error_kind::bad_option, "--where: the reader {} has no conditions; leave it out",
                sluice::quoted(reader.of->name));
  }
  reader.sketch.options.push_back({"where", *request.where, ""});
  return {};
}

}  // namespace

result<job_draft> draft_job(const draft_request& request, const std::vector<plugin>& plugins,
                            const stop_signal& stop) {
  SLUICE_TRY(const named_end from, find_end(request.from, true, plugins));
  SLUICE_TRY(const named_end to, find_end(request.to, false, plugins));
  job_draft draft;
  draft.form = request.form;
  if (from.where) {
    SLUICE_TRY(draft.reader, sketched(from, from.of->sketch_source(*from.where, request.form, stop)));
  } else {
    draft.reader = end_of_sample(*from.of, *from.of->reads);
  }
  SLUICE_CHECK(add_where(request, draft.reader));
  if (to.where && from.where) {
    SLUICE_TRY(draft.writer,
               sketched(to, to.of->sketch_target(*to.where, request.form, draft.reader.sketch.columns,
                                                 request.mode, stop)));
  } else {
    draft.writer = end_of_sample(*to.of, *to.of->writes);
    if (to.where) {
      return fail(
          error_kind::bad_option,
          "{} is a real place, but the reader {} is only a plugin's name: name what is read too, or give the "
          "writer's plugin {} here",
          sluice::quoted(request.to), sluice::quoted(request.from), sluice::quoted(to.of->name));
    }
  }
  draft.head = {
      fmt::format("Reads {} and writes {}.", request.from, request.to),
      "Check it with: sluice check FILE (with --offline nothing is opened). Run it with: sluice run FILE",
  };
  return draft;
}

}  // namespace sluice
