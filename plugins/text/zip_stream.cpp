#include <zip.h>

#include <memory>

#include "plugins/text/decompressors.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

struct close_archive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct close_entry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using archive_ptr = std::unique_ptr<zip_t, close_archive>;
using entry_ptr = std::unique_ptr<zip_file_t, close_entry>;

class zip_input final : public input_stream {
 public:
  zip_input(const file_handle& file, archive_ptr archive, entry_ptr entry, double packed_share)
      : path_(file.path()),
        archive_(std::move(archive)),
        entry_(std::move(entry)),
        packed_share_(packed_share) {}

  result<std::size_t> read(char* to, std::size_t size) override {
    const zip_int64_t got = zip_fread(entry_.get(), to, size);
    if (got < 0) {
      return fail(
          error_kind::source_changed,
          "The zip file {} is damaged {} bytes into its entry ({}). Get an undamaged file and run again.",
          in_quotes(path_), read_, zip_file_strerror(entry_.get()));
    }
    read_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  /// The library does not tell what it has taken: the entry's own share.
  [[nodiscard]] std::uint64_t source_bytes() const override {
    return static_cast<std::uint64_t>(static_cast<double>(read_) * packed_share_);
  }

 private:
  std::string path_;
  archive_ptr archive_;
  entry_ptr entry_;
  double packed_share_;  // Packed bytes for each one unpacked.
  std::uint64_t read_ = 0;
};

/// The only entry that is not a folder.
result<zip_uint64_t> single_entry(zip_t* archive, const std::string& path) {
  zip_uint64_t found = 0;
  zip_uint64_t files = 0;
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    const char* name = zip_get_name(archive, static_cast<zip_uint64_t>(i), 0);
    if (name != nullptr && !std::string_view(name).ends_with('/')) {
      found = static_cast<zip_uint64_t>(i);
      ++files;
    }
  }
  if (files != 1) {
    return fail(
        error_kind::bad_option,
        "The zip file {} has {} entries; only archives with exactly one file can be read. Unpack it and read "
        "the files.",
        in_quotes(path), files);
  }
  return found;
}

}  // namespace

result<std::unique_ptr<input_stream>> zip_stream(const file_handle& file) {
  int code = 0;
  archive_ptr archive(zip_open(file.path().c_str(), ZIP_RDONLY, &code));
  if (archive == nullptr) {
    if (code == ZIP_ER_NOZIP) {
      // The directory of a zip file stands at its end: one cut short has none.
      char head[4] = {};
      SLUICE_TRY(const std::size_t got, file.read_at(0, head, sizeof head));
      SLUICE_TRY(const file_identity identity, file.identity());
      if (got == sizeof head && std::string_view(head, 4) == std::string_view("PK\x03\x04", 4)) {
        return cut_short(file.path(), "zip", identity.size);
      }
      return not_of_kind(file.path(), "zip");
    }
    zip_error_t reason;
    zip_error_init_with_code(&reason, code);
    const std::string text = zip_error_strerror(&reason);
    zip_error_fini(&reason);
    return fail(error_kind::source_changed, "The zip file {} cannot be read: {}.", in_quotes(file.path()),
                text);
  }
  SLUICE_TRY(const zip_uint64_t index, single_entry(archive.get(), file.path()));
  entry_ptr entry(zip_fopen_index(archive.get(), index, 0));
  if (entry == nullptr) {
    return fail(error_kind::not_supported, "The entry of the zip file {} cannot be read: {}.",
                in_quotes(file.path()), zip_strerror(archive.get()));
  }
  zip_stat_t entry_stat;
  zip_stat_init(&entry_stat);
  const bool sized = zip_stat_index(archive.get(), index, 0, &entry_stat) == 0 && entry_stat.size != 0;
  const double packed_share =
      sized ? static_cast<double>(entry_stat.comp_size) / static_cast<double>(entry_stat.size) : 1;
  return std::make_unique<zip_input>(file, std::move(archive), std::move(entry), packed_share);
}

}  // namespace sluice
