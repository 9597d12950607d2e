// CSV: one sample a row, numbers between commas (or semicolons, or tabs); the first row may name
// the columns. labels=COLUMN, by number from 0 or by name, takes that column out as whole-number
// labels.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "quant/data/file.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr int64_t kMaxFile = int64_t{1} << 30;

std::vector<std::string_view> split(std::string_view row, char separator) {
  std::vector<std::string_view> cells;
  while (true) {
    const size_t end = row.find(separator);
    std::string_view cell = row.substr(0, end);
    while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\r')) cell.remove_suffix(1);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
      cell = cell.substr(1, cell.size() - 2);
    cells.push_back(cell);
    if (end == std::string_view::npos) return cells;
    row.remove_prefix(end + 1);
  }
}

template <class T>
std::optional<T> to_number(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return {};
  return value;
}

char separator_of(std::string_view row) {
  for (char c : {',', ';', '\t'})
    if (row.find(c) != std::string_view::npos) return c;
  return ',';
}

class CsvSource final : public Source {
 public:
  CsvSource(const std::string& path, const std::optional<std::string>& label_column) : path_(path) {
    const std::vector<std::byte> bytes = read_whole(path, kMaxFile);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const char separator = separator_of(text.substr(0, text.find('\n')));
    std::vector<std::string_view> names;
    for (int64_t line = 1; !text.empty(); ++line) {
      const size_t end = text.find('\n');
      const std::string_view row = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (row.find_first_not_of(" \r") == std::string_view::npos) continue;
      const auto cells = split(row, separator);
      if (columns_ == 0) {
        columns_ = cells.size();
        const bool header = std::none_of(cells.begin(), cells.end(),
                                         [](auto cell) { return to_number<float>(cell); });
        if (header) names = cells;
        choose_label(label_column, names);
        if (header) continue;
      }
      read_row(cells, line);
    }
  }

  std::string format() const override { return "CSV"; }
  std::string unit() const override { return "rows"; }
  int64_t size() const override { return rows_; }
  std::string file_of(int64_t) const override { return path_; }
  bool has_labels() const override { return !labels_.empty(); }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  std::vector<InputSpec> fields() const override {
    return {{"input", DType::kF32, Shape{static_cast<int64_t>(width())}}};
  }
  void read_fields(int64_t index, std::span<const std::span<std::byte>> out) override {
    const auto row = std::span(values_).subspan(static_cast<size_t>(index) * width(), width());
    std::copy_n(std::as_bytes(row).begin(), row.size_bytes(), out[0].begin());
  }

 private:
  size_t width() const { return columns_ - (label_ ? 1 : 0); }

  void choose_label(const std::optional<std::string>& column,
                    const std::vector<std::string_view>& names) {
    if (!column) return;
    const auto name = std::find(names.begin(), names.end(), *column);
    if (name != names.end())
      label_ = static_cast<size_t>(name - names.begin());
    else
      label_ = to_number<size_t>(*column);
    if (!label_ || *label_ >= columns_)
      throw Error(ErrorKind::kData,
                  "no column '" + *column + "' for the labels; columns are 0 to " +
                      std::to_string(columns_ - 1),
                  path_);
  }

  void read_row(const std::vector<std::string_view>& cells, int64_t line) {
    const std::string where = "line " + std::to_string(line) + " ";
    if (cells.size() != columns_)
      throw Error(ErrorKind::kData,
                  where + "has " + std::to_string(cells.size()) + " columns, the first row " +
                      std::to_string(columns_),
                  path_);
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = "column " + std::to_string(i) + ": '" + std::string(cells[i]) + "'";
      if (i == label_) {
        const auto label = to_number<int64_t>(cells[i]);
        if (!label)
          throw Error(ErrorKind::kData, where + cell + " is not a whole-number label", path_);
        labels_.push_back(*label);
      } else {
        const auto value = to_number<float>(cells[i]);
        if (!value) throw Error(ErrorKind::kData, where + cell + " is not a number", path_);
        values_.push_back(*value);
      }
    }
    ++rows_;
  }

  std::string path_;
  size_t columns_ = 0;
  int64_t rows_ = 0;
  std::optional<size_t> label_;
  std::vector<float> values_;
  std::vector<int64_t> labels_;
};

/// Text of which the first row has a separator, or is a lone number.
bool recognises(const OpenRequest& request) {
  const auto head = peek(request.path, 4096);
  if (head.empty()) return false;
  for (std::byte b : head) {
    const auto c = static_cast<unsigned char>(b);
    if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return false;
  }
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  const std::string_view row = text.substr(0, text.find('\n'));
  const auto cells = split(row, separator_of(row));
  return cells.size() > 1 || to_number<float>(cells[0]).has_value();
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  return std::make_unique<CsvSource>(request.path, request.spec.labels);
}

}  // namespace

const Reader k_reader_csv = {"CSV", "rows of numbers; labels=COLUMN", recognises, open};

}  // namespace nibble::data
