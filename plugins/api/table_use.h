#pragma once

#include <string>
#include <vector>

namespace sluice {

/// The tables of a server that an end reads or writes; by them a job that writes the table it reads is known.
struct table_use {
  /// Each with its server, in the one spelling that both ends of a product have for it; copies of a server
  /// have others.
  std::vector<std::string> tables;
  /// Of a source: several splits are not read under one snapshot. Of a target: statements of the job that
  /// may change rows run before the data.
  bool changing = false;
};

}  // namespace sluice
