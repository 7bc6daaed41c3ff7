#include "tools/cli/copy_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "jobspec/job.h"
#include "jobspec/secrets.h"
#include "tools/cli/draft_job.h"
#include "tools/cli/files.h"
#include "tools/cli/job_loading.h"
#include "tools/cli/run_command.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// Where a message says which file the job is in, and it is in none.
constexpr const char* made_job = "<copy>";

int complain(const program& parts, const std::string& message, int code) {
  write_out(parts.err_fd, fmt::format("sluice: {}\n", message));
  return code;
}

/// 2 only for what the command line alone shows: a file that is missing may be there the next time.
int complain(const program& parts, const error& why) {
  const bool text_alone = why.kind == error_kind::bad_option && why.code != found_by_looking;
  return complain(parts, why.message, text_alone ? exit_wrong_use : exit_failed);
}

/// The draft, its warnings shown; an error has its secrets taken out.
result<job_draft> draft_for_command(const draft_request& request, const program& parts) {
  secret_filter secrets;
  auto draft = draft_job(request, parts, secrets, {});
  if (!draft) {
    error why = std::move(draft).error();
    why.message = secrets.apply(why.message);
    return fail(std::move(why));
  }
  for (const std::string& line : draft->warnings) {
    write_out(parts.err_fd, secrets.apply(fmt::format("warning: {}\n", line)));
  }
  return draft;
}

/// What a run of the job would find.
result<job_look> look_beforehand(const run_arguments& run, const program& parts) {
  secret_filter secrets;
  auto loaded = load_for_command(run.job_file, run, parts, secrets);
  if (!loaded) {
    return fail(error_kind::bad_option, "{}", all_lines(loaded.error()));
  }
  zone_choice zone;
  SLUICE_CHECK(choose_zone_for(loaded->what, run, parts, zone));
  look_settings settings;
  settings.time_zone = zone.name;
  settings.on_unfinished = run.on_unfinished;
  settings.resume_window = std::chrono::ceil<std::chrono::seconds>(run.resume_window);
  settings.plan_splits = false;
  job_look found = look_at_job(*loaded, settings, parts, secrets);
  if (found.failure) {
    found.failure->message = secrets.apply(found.failure->message);
  }
  return found;
}

/// An unfinished run that stands in the way has left rows that `--replace` takes out: it can be forgotten.
bool is_replaced(const job_look& found) {
  return found.failure && found.failure->kind == error_kind::conflict &&
         found.failure->code == unfinished_code;
}

/// How a copy is begun anew, behind what it says of going on.
std::string anew_text(sketch_mode mode) {
  switch (mode) {
    case sketch_mode::replace:
      return "give the same command with --on-unfinished fresh, which takes out what is written";
    case sketch_mode::refuse:
      return "give the same command with --replace, which takes out what is written";
    default:
      return "";  // What was there before the copy would go, too.
  }
}

/// Whether two jobs differ in comments at most: these say what was there when the job was made.
bool same_job(const std::string& one, const std::string& other) {
  const auto read = [](const std::string& text) { return nlohmann::json::parse(text, nullptr, false, true); };
  const nlohmann::json first = read(one);
  return !first.is_discarded() && first == read(other);
}

/// Writes a file that is not there yet; false where there is one that holds this very job.
result<bool> save_job(const std::string& file, const std::string& text, const job_draft& draft) {
  std::error_code ignored;
  const auto whole = std::filesystem::weakly_canonical(file, ignored);
  for (const template_end* end : {&draft.reader, &draft.writer}) {
    if (!end->file.empty() && std::filesystem::weakly_canonical(end->file, ignored) == whole) {
      return fail(error_kind::bad_option, "--save: {} is an end of the copy; give another name",
                  in_quotes(file));
    }
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) {
    const auto there = read_file(file);
    return there && same_job(*there, text)
               ? result<bool>(false)
               : fail(error_kind::conflict,
                      "--save: {} is there already, with something else than this job, and is not "
                      "overwritten; give another name, or remove it",
                      in_quotes(file));
  }
  // 0666: readable as any file the user makes, by the umask.
  SLUICE_CHECK(write_file_whole(file, text, holds_secret(draft) ? 0600 : 0666));
  return true;
}

result<void> save_where_asked(const copy_arguments& arguments, const std::string& text,
                              const job_draft& draft, const program& parts) {
  if (!arguments.save) {
    return {};
  }
  SLUICE_TRY(const bool written, save_job(*arguments.save, text, draft));
  if (!written) {
    write_out(parts.err_fd, fmt::format("--save: {} holds this very job already and stays as it is\n",
                                        in_quotes(*arguments.save)));
  }
  return {};
}

}  // namespace

int template_command(const template_arguments& arguments, const program& parts) {
  draft_request request;
  request.from = arguments.from;
  request.to = arguments.to;
  request.form = arguments.form;
  request.heading = arguments.heading;
  request.datasources = arguments.datasources;
  const auto draft = draft_for_command(request, parts);
  if (!draft) {
    return complain(parts, draft.error());
  }
  print_out(parts, job_text(*draft));
  return exit_success;
}

int copy_command(const copy_arguments& arguments, const program& parts) {
  draft_request request;
  request.from = arguments.from;
  request.to = arguments.to;
  request.mode = arguments.mode;
  request.where = arguments.where;
  request.heading = arguments.heading;
  request.error_limit = arguments.error_limit;
  request.datasources = arguments.run.datasources;
  const auto draft = draft_for_command(request, parts);
  if (!draft) {
    return complain(parts, draft.error());
  }
  if (draft->reader.with_other_options || draft->writer.with_other_options) {
    return complain(
        parts,
        "copy needs two real ends, such as sluice copy orders.csv shop.db:orders; a plugin's name "
        "alone says no place",
        exit_wrong_use);
  }
  if (!draft->reader.sketch.heading_unsure.empty()) {
    return complain(parts, draft->reader.sketch.heading_unsure + "; say --header or --no-header",
                    exit_failed);
  }
  for (const template_end* end : {&draft->reader, &draft->writer}) {
    for (const std::string& doubt : end->sketch.doubts) {
      write_out(parts.err_fd, fmt::format("warning: {}\n", doubt));
    }
  }
  const std::string to = mask_addresses(arguments.to);
  const std::string text = job_text(*draft);
  if (const auto saved = save_where_asked(arguments, text, *draft, parts); !saved) {
    return complain(parts, saved.error());
  }
  run_arguments run = arguments.run;
  run.job_file = arguments.save.value_or(made_job);
  run.jobs = {run.job_file};
  if (!run.name) {
    // A copy into another table is another job: it has nothing to do with what this one may leave half done.
    run.name = "copy-" + arguments.to.substr(arguments.to.find_last_of(":/") + 1);
  }
  program with = parts;
  with.load = [&text](const std::string& file, const load_options& options, const plugin_lookup& lookup) {
    return parse_job(file, text, options, lookup);
  };
  run.begin_anew = anew_text(arguments.mode);
  const bool replaces =
      arguments.mode == sketch_mode::replace && run.on_unfinished == run_settings::unfinished::automatic;
  if (draft->writer.sketch.holds_records && (arguments.mode == sketch_mode::refuse || replaces)) {
    const auto found = look_beforehand(run, with);
    if (!found) {
      return complain(parts, found.error());
    }
    if (replaces && is_replaced(*found)) {
      write_out(parts.err_fd, fmt::format("warning: {} has rows of an unfinished run, which is forgotten: "
                                          "--replace takes them out\n",
                                          in_quotes(to)));
      run.on_unfinished = run_settings::unfinished::fresh;
    }
    const auto& failure = found->failure;
    if (failure && failure->code == claimed_code && run.running != if_running::fail) {
      return run_command(run, with);
    }
    if (failure && failure->kind == error_kind::conflict && failure->code != unfinished_code) {
      return complain(parts, failure->message, exit_failed);  // another process is at work on it
    }
    if (!replaces && !std::holds_alternative<go_on_with>(found->next)) {
      return complain(
          parts,
          draft->writer.sketch.appends
              ? fmt::format("{} holds records already: --append adds to them, --replace takes their place",
                            in_quotes(to))
              : fmt::format("{} is there already: --replace puts the new one in its place once it is "
                            "complete; or give another name",
                            in_quotes(to)),
          exit_failed);
    }
  }
  return run_command(run, with);
}

}  // namespace sluice
