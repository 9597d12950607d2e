"""The networks that are timed: the real ones that are here, and generated ones."""
import common
import shapes

GENERATED = {"ResNet-50": shapes.resnet50, "MobileNetV1": shapes.mobilenetv1}
NAMES = [m.name for m in common.MODELS] + list(GENERATED)


def here(chosen):
    """The chosen models (common.Model) whose files are here; one that is not is named. Generated ones are written when
    missing."""
    for model in common.MODELS:
        if model.name in chosen and model.file.exists():
            yield model
        elif model.name in chosen:
            print(f"{model.name}: {model.file} is not here, left out")
    for name, make in GENERATED.items():
        if name in chosen:
            path = common.WORK / f"{make.__name__}.onnx"
            if common.stale(path, shapes.__file__):
                shapes.write(make(), path)
            yield common.Model(name, str(path), "", "", sample=(3, 224, 224))
