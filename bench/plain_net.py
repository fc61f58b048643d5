"""A plain convolutional network over the whole picture: the yardstick of engine speed."""

import keras
from keras import layers

SIDE = 300  # pixels


def build() -> keras.Model:
    """Input float32 [N, SIDE, SIDE, 1], grey levels 0 to 255; output the logit of a defect, float32 [N, 1]."""
    picture = keras.Input((SIDE, SIDE, 1))
    x = _block(layers.Rescaling(1 / 127.5, -1)(picture), 16, 2)
    for filters in (24, 32, 64, 96):
        x = _block(_block(x, filters, 2), filters, 1)
    return keras.Model(picture, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))


def _block(x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))
