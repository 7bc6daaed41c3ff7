#pragma once

#include <string>
#include <vector>

namespace sluice {

struct table_use {
  /// Each with its server, in the one spelling that both ends of a product have for it; copies of a server
  /// have others.
  std::vector<std::string> tables;
  /// Of a source: several splits are not read under one snapshot. Of a target: statements of the job run
  /// before the data.
  bool changing = false;
};

/// An end that reads or writes tables of a server; by them a job that writes the table it reads is known.
class uses_tables {
 public:
  virtual ~uses_tables() = default;

  /// As the first `open` found them, and the same from then on. Thread-safe after it.
  [[nodiscard]] virtual table_use tables_used() const = 0;
};

}  // namespace sluice
