// What a continued run makes of files that are not as they were when it was planned.
#include "plugins/text/text_source.h"
#include "transport/base/text.h"

namespace sluice {

result<void> text_source::take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) {
  changed_ = std::make_shared<changed_files>();
  std::set<std::string> planned;
  for (const frozen_split& s : splits) {
    SLUICE_TRY(const file_part part, file_part::from_description(s.description));
    planned.insert(part.path);
    if (part.path.empty() || changed_->contains(part.path)) {
      continue;
    }
    const auto file = file_handle::open(part.path);
    if (!file) {
      continue;  // of a split that is done nothing is wanted any more; for another the reader says it
    }
    SLUICE_TRY(const file_identity now, file->identity());
    if (now != part.identity) {
      SLUICE_CHECK(take_up_changed(part, s, *file, now, stop));
      changed_->emplace(part.path, now);
    }
  }
  tell_of_new_files(planned);
  return {};
}

/// Another size or time of a file may be read where what was delivered of it is still the same. Of a file in
/// one part the reader sees that when it opens it behind its cursor.
result<void> text_source::take_up_changed(const file_part& part, const frozen_split& s,
                                          const file_handle& file, const file_identity& now,
                                          const stop_signal& stop) {
  const auto refuse = [&](const std::string& why) {
    return fail(error_kind::source_changed, "The file {} changed since the run was planned{}, and {}.",
                in_quotes(part.path),
                now.size == part.identity.size
                    ? std::string(": it has another modification time")
                    : fmt::format(": it had {} bytes and has {}", part.identity.size, now.size),
                why);
  };
  running_digest digest;
  if (!part.is_whole_file()) {
    const auto stream = plain_stream(file, 0, now.size);
    SLUICE_TRY(const bool there, digest_up_to(*stream, part.identity.size, digest, part.path, stop));
    const bool same = there && now.size == part.identity.size && digest.digest() == part.sum;
    return same
               ? result<void>()
               : refuse(
                     part.sum.empty()
                         ? "it is read in parts whose places are those of the former file"
                         : "its content is another: it is read in parts whose places are those of the former "
                           "one");
  }
  if (!s.done) {
    return {};
  }
  if (!s.after) {
    return refuse("all of it was read before");
  }
  SLUICE_TRY(const file_place end, file_place::from_cursor(*s.after));
  SLUICE_TRY(auto stream, open_stream(*layout_, file, 0, now.size));
  SLUICE_TRY(const bool there, digest_up_to(*stream, end.byte, digest, part.path, stop));
  if (!there || digest.digest() != end.sum) {
    return refuse("all of its former content was read before");
  }
  SLUICE_TRY(const bool more, digest_up_to(*stream, end.byte + 1, digest, part.path, stop));
  return more ? refuse("what it has more came when it had been read to its end") : result<void>();
}

void text_source::tell_of_new_files(const std::set<std::string>& planned) const {
  std::string first;
  std::size_t count = 0;
  for (const known_file& file : files_) {
    if (!planned.contains(file.path)) {
      first = count++ == 0 ? file.path : first;
    }
  }
  if (count != 0 && context_.warn) {
    context_.warn(
        fmt::format("{}{} came after this run was planned and {} not read by it: run the job for {} once "
                    "this run is done.",
                    in_quotes(first), count == 1 ? "" : fmt::format(" and {} files more", count - 1),
                    count == 1 ? "is" : "are", count == 1 ? "it" : "them"));
  }
}

}  // namespace sluice
