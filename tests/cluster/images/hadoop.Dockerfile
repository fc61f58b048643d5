FROM casting-standin-java
RUN useradd --uid 1000 hadoop
COPY libs /opt/hadoop/libs
COPY hdfs /usr/local/bin/
USER hadoop
CMD ["bash"]
