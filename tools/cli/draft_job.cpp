#include "tools/cli/draft_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/secrets.h"
#include "tools/cli/find_end.h"
#include "transport/base/secret_resolver.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// The data source's name in place of what connects; the variant where it is not the usual one.
void put_datasource(const found_end& end, end_sketch& sketch) {
  std::vector<sketched_option> first = {
      {"datasource", end.where->datasource->name, "What connects stands in the registry of data sources."}};
  if (end.env == datasource_env::development) {
    first.push_back({"envType", 1, "The development variant; --env goes before it."});
  }
  sketch.options.insert(sketch.options.begin(), first.begin(), first.end());
}

/// The end of a sketch, with the data source it was looked at through.
result<template_end> sketched(const found_end& end, result<end_sketch> sketch) {
  const bool named = end.where->datasource.has_value();
  if (!sketch) {
    error why = std::move(sketch).error();
    if (why.code != end_named_wrong) {
      why.code = found_by_looking;
    }
    if (named) {
      why.message = fmt::format("the data source {} ({}): {}", in_quotes(end.where->datasource->name),
                                to_string(*end.env), why.message);
    }
    return fail(std::move(why));
  }
  template_end out;
  out.of = end.of;
  out.sketch = std::move(*sketch);
  out.file = end.where->path;
  if (named) {
    put_datasource(end, out.sketch);
  }
  return out;
}

/// The destination's columns, where they are there, are one for each of the source's. Into one of text goes
/// the text as it stands, whatever type was guessed from a file's first texts. Of a table that was made after
/// the guess nothing changes: a copy that goes on is the same job.
void read_for(const end_sketch& writer, end_sketch& reader) {
  for (sketched_option& o : reader.options) {
    if (o.name != "column" || !o.value.is_array()) {
      continue;
    }
    for (std::size_t i = 0; i < std::min(o.value.size(), writer.columns.size()); ++i) {
      auto& one = o.value[i];
      if (writer.columns[i].type.id != type_id::utf8 || !one.is_object() ||
          one.value("type", "STRING") == "STRING") {
        continue;
      }
      one["type"] = "STRING";
      one.erase("format");
      reader.columns[i].type = type_of(type_id::utf8);
      reader.column_comments.resize(std::max(reader.column_comments.size(), i + 1));
      reader.column_comments[i] = "text, as it goes into text";
    }
  }
}

bool has_option(const plugin& p, std::string_view name) {
  const auto& options = p.reads->options;
  return std::any_of(options.begin(), options.end(), [&](const option& o) { return o.name == name; });
}

result<void> add_heading(const draft_request& request, found_end& reader) {
  if (!request.heading) {
    return {};
  }
  if (!reader.where || !has_option(*reader.of, "skipHeader")) {
    return fail(error_kind::bad_option, "--header and --no-header are for files of text, and {} is none",
                in_quotes(mask_addresses(request.from)));
  }
  reader.where->heading = request.heading;
  return {};
}

/// What stands in clear in the step's options that are secrets.
std::vector<secret_text> secrets_of(const template_end& end, bool reader) {
  std::vector<secret_text> out;
  for (const option& described : (reader ? end.of->reads : end.of->writes)->options) {
    for (const sketched_option& o : end.sketch.options) {
      if (!end.with_other_options && described.secret && o.name == described.name && o.value.is_string()) {
        if (auto written = secret_text::parse(o.value.get<std::string>(), "");
            written && written->has_plain()) {
          out.push_back(std::move(*written));
        }
      }
    }
  }
  return out;
}

/// Also one among the properties of an address, which can be no reference.
bool end_holds_secret(const template_end& end, bool reader) {
  const auto has_in_address = [](const sketched_option& o) {
    const std::string text = o.value.dump();
    return mask_addresses(text) != text;
  };
  return !secrets_of(end, reader).empty() ||
         std::any_of(end.sketch.options.begin(), end.sketch.options.end(), has_in_address);
}

void warn_of_secret(const template_end& end, bool reader, const std::string& text, secret_filter& secrets,
                    job_draft& draft) {
  for (const secret_text& written : secrets_of(end, reader)) {
    secrets.add(written);
  }
  if (end_holds_secret(end, reader)) {
    draft.warnings.push_back(fmt::format(
        "{} has a password in clear, which other users of this machine can see on the command line; "
        "give a reference, 'USER:${{env:NAME}}@HOST', or a data source",
        in_quotes(mask_addresses(text))));
  }
}

result<void> add_where(const draft_request& request, template_end& reader) {
  if (!request.where) {
    return {};
  }
  if (!has_option(*reader.of, "where")) {
    return fail(error_kind::bad_option, "--where: the reader {} has no conditions; leave it out",
                in_quotes(reader.of->name));
  }
  reader.sketch.options.push_back({"where", *request.where, ""});
  return {};
}

}  // namespace

result<job_draft> draft_job(const draft_request& request, const program& parts, secret_filter& secrets,
                            const stop_signal& stop) {
  end_finder ends(parts, request.datasources);
  SLUICE_TRY(found_end from, ends.find(request.from, true));
  SLUICE_TRY(const found_end to, ends.find(request.to, false));
  SLUICE_CHECK(add_heading(request, from));
  job_draft draft;
  draft.form = request.form;
  draft.error_limit = request.error_limit;
  draft.warnings = ends.warnings();
  secret_resolver resolver(resolving_into(
      secrets, parts.variable, [&](std::string line) { draft.warnings.push_back(std::move(line)); }));
  for (const found_end* end : std::initializer_list<const found_end*>{&from, &to}) {
    if (end->where && end->where->datasource) {
      secrets.add_options(end->where->datasource->options);
    }
  }
  sketch_context context;
  context.form = request.form;
  context.mode = request.mode;
  context.resolve_secret = [&](const secret_text& written, const stop_signal& until) {
    return resolver.resolve(written, until);
  };
  if (from.where) {
    SLUICE_TRY(draft.reader, sketched(from, from.of->sketch_source(*from.where, context, stop)));
  } else {
    draft.reader = end_of_sample(*from.of, *from.of->reads);
  }
  SLUICE_CHECK(add_where(request, draft.reader));
  if (to.where && from.where) {
    SLUICE_TRY(draft.writer,
               sketched(to, to.of->sketch_target(*to.where, draft.reader.sketch.columns, context, stop)));
    read_for(draft.writer.sketch, draft.reader.sketch);
  } else {
    draft.writer = end_of_sample(*to.of, *to.of->writes);
    if (to.where) {
      return fail(
          error_kind::bad_option,
          "{} is a real place, but the reader {} is only a plugin's name: name what is read too, or give the "
          "writer's plugin {} here",
          in_quotes(mask_addresses(request.to)), in_quotes(request.from), in_quotes(to.of->name));
    }
  }
  warn_of_secret(draft.reader, true, request.from, secrets, draft);
  warn_of_secret(draft.writer, false, request.to, secrets, draft);
  draft.head = {
      fmt::format("Reads {} and writes {}.", mask_addresses(request.from), mask_addresses(request.to)),
      "Check it with: sluice check FILE (with --offline nothing is opened). Run it with: sluice run FILE",
  };
  return draft;
}

bool holds_secret(const job_draft& draft) {
  return end_holds_secret(draft.reader, true) || end_holds_secret(draft.writer, false);
}

}  // namespace sluice
