#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"

namespace sluice {

/// A system that job files name (job-formats 1.9, 6.12), whether or not Sluice has a plugin for it: tells
/// "not yet" from a slip of the fingers.
struct known_system {
  std::string_view name;           ///< Its stepType in small letters; what counts and messages call it.
  std::string_view title;          ///< `SQL Server`
  std::string_view script_sides;   ///< What script mode 2.0 has of it: `r`, `w`, `rw` or nothing.
  std::string_view datax_readers;  ///< Names in DataX files, Addax's among them, separated by blanks.
  std::string_view datax_writers;
  std::string_view everyday;  ///< Other names people write as a stepType, separated by blanks: `pg`.

  /// Whether either format has this side of it.
  [[nodiscard]] bool has_side(bool reader) const;
};

/// Every system, in the order of the facts.
std::span<const known_system> known_systems();

/// The system of that name in small letters: its stepType, a DataX name with or without `reader` or `writer`,
/// or an everyday name. nullptr where there is none.
const known_system* find_system(std::string_view name);

/// The stepType that an everyday name stands for (`postgresql` for `pg`); the name itself where it is none.
std::string_view step_type_of(std::string_view name);

/// Names of readers or writers that a job file of this dialect may use, for "did you mean".
std::vector<std::string_view> catalogue_names(bool reader, dialect d);

/// `name` without the suffix of DataX's names: `mysql` for `mysqlreader`.
std::string_view without_side(std::string_view name, bool reader);

}  // namespace sluice
