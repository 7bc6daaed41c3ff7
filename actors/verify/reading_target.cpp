#include "actors/verify/reading_target.h"

#include <utility>

namespace sluice {
namespace {

/// Takes whatever comes and keeps nothing.
class counting_writer : public writer {
 public:
  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override {
    (void)stop;
    mark start;
    start.split = split;
    start.epoch = epoch;
    return start;
  }
  result<write_answer> write(const batch& b, const stop_signal& stop) override {
    (void)stop;
    write_answer answer;
    answer.written = b.rows;
    return answer;
  }
  result<void> commit(const mark& m, const stop_signal& stop) override {
    (void)m, (void)stop;
    return {};
  }
  void rollback() override {}
};

class reading_writer final : public counting_writer {
 public:
  reading_writer(std::shared_ptr<const compared_columns> by, std::shared_ptr<row_reading> into)
      : by_(std::move(by)), into_(std::move(into)) {}

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override {
    share_ = into_->begin();
    return counting_writer::open(split, epoch, stop);
  }

  result<write_answer> write(const batch& b, const stop_signal& stop) override {
    const compared_batch form = compared_form(b, *by_);
    share_->add(form, hash_rows_of(form, b.rows, *by_));
    SLUICE_CHECK(into_->goes_on());
    return counting_writer::write(b, stop);
  }

  result<void> commit(const mark& m, const stop_signal& stop) override {
    (void)stop;
    if (m.done) {
      into_->take(*share_);
      share_.reset();
    }
    return {};
  }

  void rollback() override { share_.reset(); }

 private:
  std::shared_ptr<const compared_columns> by_;
  std::shared_ptr<row_reading> into_;
  std::unique_ptr<row_reading::share> share_;
};

class reading_target final : public target {
 public:
  reading_target(std::shared_ptr<const compared_columns> by, std::shared_ptr<row_reading> into,
                 std::string name, std::vector<std::size_t> left_out)
      : by_(std::move(by)), into_(std::move(into)), name_(std::move(name)), left_out_(std::move(left_out)) {}

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override {
    (void)source_columns, (void)stop;
    target_description description;
    description.columns = by_->columns;
    description.left_out = left_out_;
    description.name = name_;
    description.promise = "nothing is written";
    return description;
  }

  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    (void)columns;
    return std::make_unique<reading_writer>(by_, into_);
  }

 private:
  std::shared_ptr<const compared_columns> by_;
  std::shared_ptr<row_reading> into_;
  std::string name_;
  std::vector<std::size_t> left_out_;
};

class own_bytes_target final : public target {
 public:
  own_bytes_target(schema_ptr columns, std::vector<bool> own, std::string name)
      : columns_(std::move(columns)), own_(std::move(own)), name_(std::move(name)) {}

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override {
    (void)source_columns, (void)stop;
    target_description description;
    description.columns = columns_;
    description.takes_own = own_;
    description.name = name_;
    description.promise = "nothing is written";
    return description;
  }
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    (void)columns;
    return std::make_unique<counting_writer>();
  }

 private:
  schema_ptr columns_;
  std::vector<bool> own_;
  std::string name_;
};

}  // namespace

std::unique_ptr<target> make_own_bytes_target(schema_ptr columns, std::vector<bool> own, std::string name) {
  return std::make_unique<own_bytes_target>(std::move(columns), std::move(own), std::move(name));
}

std::unique_ptr<target> make_reading_target(std::shared_ptr<const compared_columns> by,
                                            std::shared_ptr<row_reading> into, std::string name,
                                            std::vector<std::size_t> left_out) {
  return std::make_unique<reading_target>(std::move(by), std::move(into), std::move(name),
                                          std::move(left_out));
}

}  // namespace sluice
