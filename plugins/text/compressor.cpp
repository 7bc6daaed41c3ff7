#include "plugins/text/compressor.h"

#include <archive.h>
#include <archive_entry.h>

#include <utility>

#include "transport/base/text.h"

namespace sluice {

result<std::unique_ptr<compressor>> compressor::make(compression how, const std::string& entry_name,
                                                     output_file& to) {
  std::unique_ptr<compressor> made(new compressor(to));
  made->archive_ = archive_write_new();
  archive* const a = made->archive_;
  int done = ARCHIVE_OK;
  switch (how) {
    case compression::gzip:
      done = archive_write_add_filter_gzip(a);
      // Without a time inside, equal records make equal files. A library that lacks the option only warns.
      (void)archive_write_set_filter_option(a, "gzip", "timestamp", nullptr);
      break;
    case compression::zstd:
      done = archive_write_add_filter_zstd(a);
      break;
    case compression::bzip2:
      done = archive_write_add_filter_bzip2(a);
      break;
    case compression::zip:
    case compression::none:
      break;
  }
  SLUICE_CHECK(made->check(done));
  SLUICE_CHECK(made->check(how == compression::zip ? archive_write_set_format_zip(a)
                                                   : archive_write_set_format_raw(a)));
  archive_write_set_bytes_in_last_block(a, 1);  // No padding behind the end.
  const auto write_to_file = [](archive*, void* self, const void* bytes, std::size_t size) -> la_ssize_t {
    auto* const me = static_cast<compressor*>(self);
    // The library is never told of a failure: it frees its filters only where it may end them. `check` knows.
    if (!me->discarding_ && !me->has_failed_) {
      if (auto written = me->to_.write({static_cast<const char*>(bytes), size}); !written) {
        me->failed_ = std::move(written).error();
        me->has_failed_ = true;
      }
    }
    return static_cast<la_ssize_t>(size);
  };
  SLUICE_CHECK(made->check(archive_write_open(a, made.get(), nullptr, write_to_file, nullptr)));
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_pathname(entry, entry_name.c_str());
  auto began = made->check(archive_write_header(a, entry));
  archive_entry_free(entry);
  SLUICE_CHECK(std::move(began));
  return made;
}

compressor::~compressor() {
  if (archive_ != nullptr) {
    // Unfinished, so what comes out now is for nobody. The library frees its filters only where it may end
    // them.
    discarding_ = true;
    archive_write_free(archive_);
  }
}

result<void> compressor::check(long long returned) {
  if (has_failed_) {
    return fail(failed_);
  }
  if (returned >= ARCHIVE_WARN) {
    return {};
  }
  const char* reason = archive_error_string(archive_);
  return fail(error_kind::internal, "Compressing {} failed: {}; report this.", in_quotes(to_.path()),
              reason == nullptr ? "no reason given" : reason);
}

result<void> compressor::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const la_ssize_t written = archive_write_data(archive_, bytes.data(), bytes.size());
    SLUICE_CHECK(check(written));
    if (written == 0) {
      return fail(error_kind::internal, "Compressing {} took no bytes; report this.", in_quotes(to_.path()));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

result<void> compressor::finish() {
  SLUICE_CHECK(check(archive_write_close(archive_)));
  archive_write_free(std::exchange(archive_, nullptr));
  return {};
}

}  // namespace sluice
