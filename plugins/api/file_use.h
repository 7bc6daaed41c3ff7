#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// A file that one end of a job reads or changes: by it the two ends are kept out of each other's way. A plan
/// in which the destination changes what the source reads is refused as `bad_option`, by whatever name or
/// link either end reaches the file; two ends in one database that is shared are none of that.
struct file_use {
  enum class kind : std::uint8_t {
    plain,
    locked_database,  ///< Nobody can commit to it while somebody reads it (SQLite outside WAL mode).
    shared_database,
  };
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  kind as = kind::plain;
  std::string change = {};  ///< What the destination does to it: `removed`, `replaced`, `written to`.

  [[nodiscard]] bool same_file(const file_use& o) const { return device == o.device && inode == o.inode; }
};

/// The file at `path`, links followed; nothing where there is none.
std::optional<file_use> file_use_of(const std::string& path, file_use::kind as = file_use::kind::plain,
                                    std::string change = {});

/// Files that a source finds by their names, and where.
struct file_pattern {
  std::string text;  ///< As the job writes it.
  std::string name;  ///< Its last part (glob(7)).
  std::vector<file_use> folders;
};

/// A file as the destination will make it.
struct made_file {
  std::string path;
  std::string name;  ///< Its last part.
  file_use folder;
};

}  // namespace sluice
